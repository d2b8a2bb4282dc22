//! Secrets of several lines, with something before each of them.

use super::*;

fn base64url(count: usize) -> String {
    "YAnz5TF-lXXJte14tji3zlMNq_hd2r".chars().cycle().take(count).collect()
}

#[test]
fn a_line_of_a_secret_is_known_wherever_it_stands() {
    let account = [
        "{".to_owned(),
        r#"  "type": "service_account","#.to_owned(),
        format!(r#"  "private_key_id": "{}","#, hex(40)),
        r#"  "auth_provider_x509_cert_url": "https://www.googleapis.com/oauth2/v1/certs","#.to_owned(),
        format!(r#"  "client_x509": "{}""#, letters(34)),
        "}".to_owned(),
    ];
    let tunnel = [
        "[Interface]".to_owned(),
        format!("PrivateKey = {}", base64url(43)),
        format!("PresharedKey = {}=", letters(43)),
        "Endpoint = vpn1.internal.example.com:51820".to_owned(),
    ];
    for (lines, secrets) in
        [(account.as_slice(), [hex(40), letters(34)]), (tunnel.as_slice(), [base64url(43), letters(43)])]
    {
        let redactor = redactor(&[("THE_SECRET", &lines.join("\n"))]);
        for before in ["+", "-    ", "> ", "3: "] {
            let text: String = lines.iter().map(|line| format!("{before}{line}\n")).collect();
            let told = secrets.iter().fold(text.clone(), |text, secret| text.replace(secret, "[REDACTED:THE_SECRET]"));
            assert_eq!(redactor.text(&text), told);
            assert_eq!(redactor.text(&told), told, "once more");
        }
        for secret in &secrets {
            assert_eq!(redactor.text(&format!("it is {secret}.")), "it is [REDACTED:THE_SECRET].");
        }
    }
}

#[test]
fn what_any_text_may_hold_is_no_secret_for_standing_in_one() {
    let lines = [
        "apiVersion: client.authentication.k8s.io/v1beta1",
        "  \"type\": \"service_account\",",
        "  \"auth_provider_x509_cert_url\": \"https://www.googleapis.com/oauth2/v1/certs\",",
        "export default function handler() {",
        "/usr/local/lib/python3/dist-packages",
        "2026-11-29T15:04:05Z 1234567890123456",
        "--------------------------------",
    ];
    let redactor = redactor(&[("THE_SECRET", &lines.join("\n"))]);
    for line in lines {
        assert_eq!(redactor.text(&format!("+{line}")), format!("+{line}"));
    }
}
