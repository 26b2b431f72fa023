//! What `parloir simulate` says at its start.

use secrecy::ExposeSecret;

use super::arguments::SimulateArgs;
use super::signing::{EncodingWord, Scheme, SigningArgs};

/// Where the simulator is, and how Parloir finds it.
pub(super) fn summary(args: &SimulateArgs, base_url: &str) -> String {
    let script = match &args.script {
        Some(path) => path.display().to_string(),
        None => "the shop assistant (say hello; --print-script shows its dialogues)".to_owned(),
    };
    let (webhook_url, configuration) = (args.webhook_url(), configuration(args, base_url));
    let exports = exports(args);
    format!(
        "A simulated agent platform listens on {base_url}
  bot id      {bot_id}
  webhooks to {webhook_url}
  plays       {script}

To connect Parloir to it, set
{exports}
and put this into its configuration:

{configuration}
Stop with Ctrl-C.
",
        bot_id = args.bot_id,
    )
}

/// The variables that the configuration refers to. The default key is no secret; another is not shown.
fn exports(args: &SimulateArgs) -> String {
    let key = match args.key.expose_secret() {
        "demo-key" => "demo-key",
        _ => "<the key given with --key>",
    };
    let mut exports = format!("  export DEMO_KEY={key}");
    if args.signing.scheme != Scheme::None {
        exports.push_str("\n  export DEMO_WEBHOOK_SECRET=<the secret given with --webhook-secret>");
    }
    exports
}

/// The agent, and an account that leads to it, as Parloir's configuration has them.
pub(super) fn configuration(args: &SimulateArgs, base_url: &str) -> String {
    let agent = quoted(&args.agent);
    let webhook = webhook(&args.signing);
    format!(
        "[[agents]]
name = {agent}
[agents.platform.zendesk]
bot_id = {bot_id}
base_url = {base_url}
api_key = {{ env = \"DEMO_KEY\" }}
{webhook}
[[accounts]]
name = {agent}
agent = {agent}
",
        bot_id = quoted(&args.bot_id),
        base_url = quoted(base_url),
    )
}

fn webhook(signing: &SigningArgs) -> String {
    let table = |scheme: &str, keys: &[(&str, &str)]| {
        let secrets = match scheme {
            "url_token" => "tokens",
            _ => "secrets",
        };
        let line = |(key, value): &(&str, &str)| format!("{key} = {}\n", quoted(value));
        let keys: String = keys.iter().map(line).collect();
        format!(
            "[agents.platform.zendesk.webhook.{scheme}]
{secrets} = [{{ env = \"DEMO_WEBHOOK_SECRET\" }}]
{keys}"
        )
    };
    let header = ("header", signing.header.as_str());
    match signing.scheme {
        Scheme::None => "webhook = \"none\"\n".to_owned(),
        Scheme::UrlToken => table("url_token", &[]),
        Scheme::StaticHeader => table("static_header", &[header]),
        Scheme::ZendeskSupport => table("zendesk_support", &[]),
        Scheme::StandardWebhooks => table("standard_webhooks", &[]),
        Scheme::Hmac => {
            let encoding = match signing.encoding {
                EncodingWord::Hex => "hex",
                EncodingWord::Base64 => "base64",
            };
            let prefix = ("prefix", signing.prefix.as_str());
            let mut keys = vec![header, ("encoding", encoding), prefix];
            if let Some(header) = &signing.timestamp_header {
                keys.push(("timestamp_header", header));
                keys.push(("separator", &signing.separator));
            }
            table("hmac", &keys)
        }
    }
}

/// As a TOML string.
fn quoted(text: &str) -> String {
    toml::Value::from(text).to_string()
}
