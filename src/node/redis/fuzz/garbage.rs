//! Replies that no request asked for: values of every type, nested, cut, changed, endless.

use super::source::Source;

/// What once made trouble, here or elsewhere, or nearly looks like an answer.
const CORPUS: &str = include_str!("corpus.txt");

const INTEGERS: [&str; 12] = [
    "0",
    "1",
    "-1",
    "-2",
    "2",
    "+1",
    " 1",
    "64",
    "9223372036854775807",
    "-9223372036854775808",
    "9223372036854775808",
    "1e3",
];
const LENGTHS: [&str; 10] =
    ["0", "1", "2", "3", "-1", "536870912", "2147483647", "9223372036854775807", "-9223372036854775808", "4294967296"];
const TEXTS: [&str; 9] = ["OK", "ok", "QUEUED", "", "1", "PONG", "OK ", "invalidate", "subscribe"];
const ERRORS: [&str; 12] = [
    "ERR unknown command",
    "NOSCRIPT No matching script.",
    "WRONGTYPE Operation against a key",
    "READONLY You can't write against a read only replica.",
    "NOPERM this user has no permissions",
    "OOM command not allowed",
    "LOADING Redis is loading the dataset in memory",
    "MOVED 1 127.0.0.1:1",
    "ASK 1 127.0.0.1:1",
    "ERR wrong number of arguments for 'delex' command",
    "",
    " ",
];
const DEPTH: usize = 6;

/// One value of any type; now and then of a wrong length, or more nested than anybody reads.
pub(super) fn value(source: &mut Source, depth: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    match source.below(if depth < DEPTH { 16 } else { 10 }) {
        0 => line(&mut bytes, b'+', source.pick(&TEXTS)),
        1 => line(&mut bytes, b'-', source.pick(&ERRORS)),
        2 | 3 => line(&mut bytes, b':', source.pick(&INTEGERS)),
        4 | 5 => bulk(source, b'$', &mut bytes),
        6 => line(&mut bytes, b'_', ""),
        7 => line(&mut bytes, b'#', source.pick(&["t", "f", "x"])),
        8 => line(&mut bytes, b',', source.pick(&["1.5", "inf", "nan", "x"])),
        9 => line(&mut bytes, b'(', source.pick(&INTEGERS)),
        10 => bulk(source, b'=', &mut bytes),
        11 => bulk(source, b'!', &mut bytes),
        12 => list(source, b'*', 1, depth, &mut bytes),
        13 => list(source, b'~', 1, depth, &mut bytes),
        14 => list(source, b'%', 2, depth, &mut bytes),
        _ => {
            let kind = b">|*"[source.below(3)];
            list(source, kind, 1, depth, &mut bytes);
        }
    }
    bytes
}

fn line(bytes: &mut Vec<u8>, kind: u8, text: &str) {
    bytes.push(kind);
    bytes.extend_from_slice(text.as_bytes());
    bytes.extend_from_slice(b"\r\n");
}

fn bulk(source: &mut Source, kind: u8, bytes: &mut Vec<u8>) {
    let text = match source.below(4) {
        0 => source.pick(&TEXTS).as_bytes().to_vec(),
        1 => source.pick(&INTEGERS).as_bytes().to_vec(),
        2 => format!("txt:{}", source.pick(&TEXTS)).into_bytes(),
        _ => source.noise(40),
    };
    let length = if source.percent(10) { (*source.pick(&LENGTHS)).to_owned() } else { text.len().to_string() };
    line(bytes, kind, &length);
    bytes.extend_from_slice(&text);
    bytes.extend_from_slice(b"\r\n");
}

fn list(source: &mut Source, kind: u8, each: usize, depth: usize, bytes: &mut Vec<u8>) {
    let count = source.below(5);
    let length = if source.percent(10) { (*source.pick(&LENGTHS)).to_owned() } else { count.to_string() };
    line(bytes, kind, &length);
    for _ in 0..count * each {
        bytes.extend(value(source, depth + 1));
    }
}

pub(super) fn corpus(source: &mut Source) -> Vec<u8> {
    let entries: Vec<_> = CORPUS.lines().filter(|line| !line.is_empty() && !line.starts_with("//")).collect();
    unescape(entries[source.below(entries.len())])
}

/// Its escapes, and how often it is to be repeated.
fn unescape(text: &str) -> Vec<u8> {
    let (text, times) = match text.rsplit_once(" x ") {
        Some((text, times)) => (text, times.parse().unwrap_or(1)),
        None => (text, 1),
    };
    let mut bytes = Vec::new();
    let mut rest = text.chars();
    while let Some(letter) = rest.next() {
        match (letter, rest.clone().next()) {
            ('\\', Some('r')) => bytes.push(b'\r'),
            ('\\', Some('n')) => bytes.push(b'\n'),
            ('\\', Some('x')) => {
                let digits: String = rest.clone().skip(1).take(2).collect();
                bytes.push(u8::from_str_radix(&digits, 16).unwrap_or(0));
                rest.nth(1);
            }
            _ => {
                bytes.extend_from_slice(letter.encode_utf8(&mut [0; 4]).as_bytes());
                continue;
            }
        }
        rest.next();
    }
    bytes.repeat(times)
}

/// Bytes that are wrong, missing, or too many.
pub(super) fn mutate(source: &mut Source, mut bytes: Vec<u8>) -> Vec<u8> {
    for _ in 0..=source.below(3) {
        let place = source.below(bytes.len() + 1);
        match source.below(4) {
            0 => bytes.truncate(place),
            1 => bytes.insert(place, source.bits() as u8),
            2 if place < bytes.len() => bytes[place] = source.bits() as u8,
            _ if place < bytes.len() => {
                bytes.remove(place);
            }
            _ => {}
        }
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_corpus_is_read_as_it_is_meant() {
        assert_eq!(unescape(r"+OK\r\n\xff"), b"+OK\r\n\xff");
        assert_eq!(unescape(r"*1\r\n x 3"), b"*1\r\n*1\r\n*1\r\n");
        assert_eq!(unescape(r"a\b"), br"a\b");
    }
}
