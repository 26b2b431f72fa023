//! Authorities and certificates of tests.

use std::{fs, path::Path};

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa,
    Issuer, KeyPair, SanType, date_time_ymd,
};

/// Signs certificates.
pub struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
}

/// A certificate and its key, in PEM.
pub struct Certified {
    pub certificate: String,
    pub private_key: String,
}

/// From when until when a certificate counts, in years.
#[derive(Clone, Copy)]
pub struct Years(pub i32, pub i32);

/// Around every clock that a test is run by.
pub const COUNTS: Years = Years(2020, 2090);

impl Authority {
    pub fn new(name: &str) -> Self {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, name);
        let key = KeyPair::generate().expect("a key");
        let issuer = CertifiedIssuer::self_signed(params, key).expect("a root");
        Self { issuer }
    }

    pub fn pem(&self) -> String {
        self.issuer.pem()
    }

    /// For the server, at 127.0.0.1.
    pub fn server(&self) -> Certified {
        self.sign(
            vec![SanType::IpAddress([127, 0, 0, 1].into())],
            COUNTS,
            ExtendedKeyUsagePurpose::ServerAuth,
        )
    }

    /// For a client, made out to a URI.
    pub fn client(&self, uri: &str, years: Years) -> Certified {
        let uri = uri.try_into().expect("ASCII");
        let usage = ExtendedKeyUsagePurpose::ClientAuth;
        self.sign(vec![SanType::URI(uri)], years, usage)
    }

    fn sign(&self, names: Vec<SanType>, years: Years, usage: ExtendedKeyUsagePurpose) -> Certified {
        let mut params = CertificateParams::default();
        params.subject_alt_names = names;
        params.extended_key_usages = vec![usage];
        params.not_before = date_time_ymd(years.0, 1, 1);
        params.not_after = date_time_ymd(years.1, 1, 1);
        let key = KeyPair::generate().expect("a key");
        let issuer: &Issuer<'static, KeyPair> = &self.issuer;
        let certificate = params.signed_by(&key, issuer).expect("signed");
        Certified {
            certificate: certificate.pem(),
            private_key: key.serialize_pem(),
        }
    }
}

impl Certified {
    /// Into files that a server reads. Each is complete at every moment.
    pub fn write(&self, folder: &Path) {
        for (name, text) in [
            ("server.key", &self.private_key),
            ("server.pem", &self.certificate),
        ] {
            let fresh = folder.join("fresh");
            fs::write(&fresh, text).expect("written");
            fs::rename(&fresh, folder.join(name)).expect("renamed");
        }
    }
}
