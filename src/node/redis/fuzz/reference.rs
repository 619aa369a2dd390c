//! What the bytes of a server mean, worked out once more, in the plainest way: what a vote may be taken from.

/// As far as votes go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Said {
    Okay,
    Nil,
    Int(i64),
    Error(String),
    List(Vec<Said>),
    Other,
}

/// Deeper values end the connection.
const DEPTH: usize = 100;

/// The replies in a server's bytes, as far as they are replies; without the pushes that answer nothing.
pub(super) fn replies(mut bytes: &[u8]) -> Vec<Said> {
    let mut replies = Vec::new();
    while let Some((said, is_push, rest)) = value(bytes, 1) {
        bytes = rest;
        if !is_push {
            replies.push(said);
        }
    }
    replies
}

/// The words of one command, which our own side has sent.
pub(super) fn command(bytes: &[u8]) -> Option<(Vec<Vec<u8>>, &[u8])> {
    let (count, mut bytes) = line(bytes.strip_prefix(b"*")?)?;
    let mut words = Vec::new();
    for _ in 0..count.parse::<usize>().ok()? {
        let (length, rest) = line(bytes.strip_prefix(b"$")?)?;
        let (word, rest) = rest.split_at_checked(length.parse().ok()?)?;
        words.push(word.to_vec());
        bytes = rest.strip_prefix(b"\r\n")?;
    }
    Some((words, bytes))
}

fn line(bytes: &[u8]) -> Option<(&str, &[u8])> {
    let end = bytes.windows(2).position(|pair| pair == b"\r\n")?;
    Some((str::from_utf8(&bytes[..end]).ok()?, &bytes[end + 2..]))
}

fn value(bytes: &[u8], depth: usize) -> Option<(Said, bool, &[u8])> {
    let (kind, bytes) = bytes.split_first()?;
    if depth > DEPTH {
        return None;
    }
    let (text, rest) = line(bytes)?;
    let number = || text.trim().parse::<i64>().ok();
    let (said, rest) = match kind {
        b'+' if text == "OK" => (Said::Okay, rest),
        b'+' | b'(' => (Said::Other, rest),
        b'-' => (Said::Error(text.to_owned()), rest),
        b':' => (Said::Int(number()?), rest),
        b'_' => (Said::Nil, rest),
        b',' => (text.trim().parse::<f64>().ok().map(|_| Said::Other)?, rest),
        b'#' if matches!(text, "t" | "f") => (Said::Other, rest),
        b'$' if number()? < 0 => (Said::Nil, rest),
        b'$' | b'=' | b'!' => {
            let (body, rest) = rest.split_at_checked(usize::try_from(number()?).ok()?)?;
            let said = if *kind == b'!' { Said::Error(String::from_utf8_lossy(body).into()) } else { Said::Other };
            if *kind == b'=' && !body.contains(&b':') {
                return None;
            }
            (said, rest.strip_prefix(b"\r\n")?)
        }
        b'*' | b'~' if number()? < 0 => (Said::Nil, rest),
        b'>' if number()? <= 0 => return Some((Said::Other, true, rest)),
        b'*' | b'~' | b'>' | b'%' | b'|' => {
            let count = usize::try_from(number()?).ok()?;
            let count = match kind {
                b'%' => count.checked_mul(2)?,
                b'|' => count.checked_mul(2)? + 1,
                _ => count,
            };
            let (list, rest) = list(rest, count, depth)?;
            match kind {
                b'*' => (Said::List(list), rest),
                b'>' => return push(bytes, rest),
                _ => (Said::Other, rest),
            }
        }
        _ => return None,
    };
    Some((said, false, rest))
}

fn list(mut bytes: &[u8], count: usize, depth: usize) -> Option<(Vec<Said>, &[u8])> {
    let mut list = Vec::new();
    for _ in 0..count {
        let (said, _, rest) = value(bytes, depth + 1)?;
        list.push(said);
        bytes = rest;
    }
    Some((list, bytes))
}

/// One whose first word is that of a subscription is an answer.
fn push<'a>(bytes: &'a [u8], rest: &'a [u8]) -> Option<(Said, bool, &'a [u8])> {
    let (_, body) = line(bytes)?;
    let word = match body.split_first()? {
        (b'+', text) => line(text)?.0.as_bytes(),
        (b'$', text) => {
            let (length, text) = line(text)?;
            text.get(..length.trim().parse().ok()?)?
        }
        _ => return None,
    };
    str::from_utf8(word).ok()?;
    Some((Said::Other, !word.ends_with(b"subscribe"), rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replies_are_read_one_after_the_other_up_to_what_is_none() {
        let bytes = b"+OK\r\n:7\r\n$2\r\nOK\r\n*2\r\n:1\r\n-E x\r\n>1\r\n+message\r\n$-1\r\n+ok\r\nx+OK\r\n";
        let list = Said::List(vec![Said::Int(1), Said::Error("E x".into())]);
        assert_eq!(replies(bytes), [Said::Okay, Said::Int(7), Said::Other, list, Said::Nil, Said::Other]);
        assert_eq!(replies(b"+O"), []);
        assert_eq!(replies(b"$5\r\nab\r\n"), []);
    }

    #[test]
    fn commands_are_read_when_they_are_whole() {
        let words = vec![b"SET".to_vec(), b"k".to_vec()];
        assert_eq!(command(b"*2\r\n$3\r\nSET\r\n$1\r\nk\r\n*1"), Some((words, &b"*1"[..])));
        assert_eq!(command(b"*2\r\n$3\r\nSET\r\n$1\r\n"), None);
    }
}
