//! The one header that a scheme looks at.

use http::HeaderMap;

use crate::domain::Unverified;

/// The header `name` as text. Two of them are one too many: nobody could tell which one a proxy before us checked.
///
/// # Errors
///
/// It is missing, came several times, or holds what no text may.
pub fn one_header<'w>(headers: &'w HeaderMap, name: &str) -> Result<&'w str, Unverified> {
    let mut values = headers.get_all(name).into_iter();
    let value = values.next().ok_or_else(|| Unverified::missing(name))?;
    if values.next().is_some() {
        return Err(Unverified::Repeated {
            header: name.to_owned(),
        });
    }
    value
        .to_str()
        .map_err(|_| Unverified::malformed(name, "printable ASCII"))
}
