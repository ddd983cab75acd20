//! Messages, read as clients write them.

use super::*;

#[test]
fn reads_every_shape_of_message() {
    let raw = r#"[{"role":"user","content":[{"type":"text","text":"a\nb"},{"type":"image_url","image_url":{"url":"data:x"}}]},
        {"role":"assistant","content":null,"tool_calls":[{"id":"1","type":"function","function":{"name":"f","arguments":"{}"}}]},
        {"role":"tool","tool_call_id":"1","content":"ok"}]"#;
    let messages = read(raw).unwrap();
    let Content::Parts(parts) = &messages[0].content else {
        panic!("parts expected")
    };
    assert!(matches!(&parts[0].kind, PartKind::Text(text) if text.as_str() == "a\\nb"));
    assert!(matches!(&parts[1].kind, PartKind::Image { url, detail: None } if url == "data:x"));
    assert_eq!(
        (
            messages[1].calls[0].name.as_ref(),
            messages[1].calls[0].arguments.as_str()
        ),
        ("f", "{}")
    );
    assert_eq!(messages[2].call_id.as_deref(), Some("1"));
}

#[test]
fn names_the_field_at_fault() {
    let table = [
        (r#"[{"role":"robot","content":"x"}]"#, "messages[0].role"),
        (r#"[{"content":"x"}]"#, "messages[0].role"),
        (r#"[{"role":"user","content":7}]"#, "messages[0].content"),
        (
            r#"[{"role":"user","content":[{"text":"x"}]}]"#,
            "messages[0].content[0]",
        ),
        (
            r#"[{"role":"assistant","tool_calls":[{"id":"x"}]}]"#,
            "messages[0].tool_calls[0]",
        ),
        (r#"["x"]"#, "messages[0]"),
    ];
    for (raw, param) in table {
        assert_eq!(
            read(raw).unwrap_err().param.as_deref(),
            Some(param),
            "{raw}"
        );
    }
}
