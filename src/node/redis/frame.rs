//! Whether bytes are RESP, value by value and strictly: redis-rs overlooks some of what is none, when a read ends there, and
//! goes on with what follows as if that were the answer.

/// Deeper than any answer is nested.
const DEPTH: usize = 16;

/// Why bytes are no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Breach {
    /// Not in the protocol's form.
    Alien,
    /// It announces more than could be wanted.
    Excessive,
}

/// Reads along, over any number of reads.
#[derive(Debug, Default)]
pub(super) struct Frames {
    /// How many values each open list still lacks, the innermost last.
    open: Vec<u64>,
    /// The first value of a push is the next one: its kind, a text.
    wants_kind: bool,
    state: State,
    /// The beginning of a line that the reads so far have not ended.
    line: Vec<u8>,
}

#[derive(Clone, Copy, Debug, Default)]
enum State {
    #[default]
    Line,
    /// So many bytes of a text are to come.
    Text(u64),
    /// The end of a text's line is to come, from this byte of it on.
    End(usize),
}

impl Frames {
    /// `most` bytes or values are the most that one text or list may have.
    pub(super) fn scan(&mut self, mut bytes: &[u8], most: u64) -> Result<(), Breach> {
        while let Some(first) = bytes.first() {
            bytes = match self.state {
                State::Text(0) => {
                    self.state = State::End(0);
                    bytes
                }
                State::Text(left) => {
                    let count = usize::try_from(left).map_or(bytes.len(), |left| left.min(bytes.len()));
                    self.state = State::Text(left - count as u64);
                    &bytes[count..]
                }
                State::End(place) if *first == b"\r\n"[place] => {
                    self.state = State::End(place + 1);
                    if place == 1 {
                        self.state = State::Line;
                        self.close();
                    }
                    &bytes[1..]
                }
                State::End(_) => return Err(Breach::Alien),
                State::Line if self.line.is_empty() && !b"+:-$*_#,(!%~>|".contains(first) => return Err(Breach::Alien),
                State::Line => self.lines(bytes, most)?,
            };
        }
        Ok(())
    }

    /// One line, or its part.
    fn lines<'a>(&mut self, bytes: &'a [u8], most: u64) -> Result<&'a [u8], Breach> {
        let Some(end) = bytes.iter().position(|byte| *byte == b'\n') else {
            self.line.extend_from_slice(bytes);
            return Ok(&[]);
        };
        let (own, rest) = bytes.split_at(end + 1);
        if self.line.is_empty() && own.ends_with(b"\r\n") {
            self.head(&own[..end - 1], most)?;
            return Ok(rest);
        }
        let mut line = std::mem::take(&mut self.line);
        line.extend_from_slice(own);
        if line.ends_with(b"\r\n") {
            self.head(&line[..line.len() - 2], most)?;
            line.clear();
        }
        // Else a lone end of line, within it.
        self.line = line;
        Ok(rest)
    }

    /// The line with which a value begins.
    fn head(&mut self, line: &[u8], most: u64) -> Result<(), Breach> {
        let (kind, text) = line.split_first().ok_or(Breach::Alien)?;
        let text = str::from_utf8(text).map_err(|_| Breach::Alien)?;
        let is_kind = std::mem::take(&mut self.wants_kind);
        if is_kind && !matches!(kind, b'+' | b'$') {
            return Err(Breach::Alien);
        }
        match kind {
            b'+' | b'-' | b'(' | b'_' => self.close(),
            b':' => integer(text).map(|_| self.close())?,
            b'#' if matches!(text, "t" | "f") => self.close(),
            b',' if text.parse::<f64>().is_ok() => self.close(),
            // Nothing, as RESP2 says it; no kind of a push.
            b'$' if !is_kind && integer(text)? == -1 => self.close(),
            // Verbatim texts have a form of their own, and nobody asks for any.
            b'$' | b'!' => self.state = State::Text(limited(integer(text)?, most)?),
            b'*' if integer(text)? == -1 => self.close(),
            b'*' | b'~' | b'%' | b'|' | b'>' => {
                let count = limited(integer(text)?, most)?;
                let count = match kind {
                    b'%' => count * 2,
                    // And the value to which they belong.
                    b'|' => count * 2 + 1,
                    _ => count,
                };
                self.wants_kind = *kind == b'>';
                if (self.wants_kind && count == 0) || self.open.len() == DEPTH {
                    return Err(Breach::Alien);
                }
                if count == 0 {
                    self.close();
                } else {
                    self.open.push(count);
                }
            }
            _ => return Err(Breach::Alien),
        }
        Ok(())
    }

    /// A value is whole, and with it perhaps the lists that it ends.
    fn close(&mut self) {
        while let Some(left) = self.open.last_mut() {
            *left -= 1;
            if *left > 0 {
                return;
            }
            self.open.pop();
        }
    }
}

fn integer(text: &str) -> Result<i64, Breach> {
    text.parse().map_err(|_| Breach::Alien)
}

fn limited(length: i64, most: u64) -> Result<u64, Breach> {
    let length = u64::try_from(length).map_err(|_| Breach::Alien)?;
    if length > most { Err(Breach::Excessive) } else { Ok(length) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MOST: u64 = 1000;

    /// In one piece, and byte by byte.
    fn scan(bytes: &[u8]) -> Result<(), Breach> {
        let whole = Frames::default().scan(bytes, MOST);
        let mut frames = Frames::default();
        assert_eq!(bytes.iter().try_for_each(|byte| frames.scan(&[*byte], MOST)), whole, "{bytes:?}");
        whole
    }

    #[test]
    fn takes_what_servers_say() {
        for good in [
            &b"+OK\r\n"[..],
            b"$-1\r\n:5\r\n:-2\r\n",
            b"-ERR a lone \n in the line\r\n+OK\r\n",
            b"$7\r\na\r\nb\r\nc\r\n$0\r\n\r\n+OK\r\n",
            b"*2\r\n*0\r\n*2\r\n:1\r\n$1\r\nx\r\n+OK\r\n",
            b"*-1\r\n_\r\n#t\r\n,1.5\r\n(123\r\n!3\r\nE x\r\n",
            b"%2\r\n+a\r\n:1\r\n+b\r\n*1\r\n:2\r\n~1\r\n+c\r\n",
            b">2\r\n$10\r\ninvalidate\r\n*1\r\n$1\r\nk\r\n>3\r\n+subscribe\r\n+c\r\n:1\r\n",
            b"|1\r\n+a\r\n+b\r\n+OK\r\n",
            b"+O",
        ] {
            assert_eq!(scan(good), Ok(()), "{}", String::from_utf8_lossy(good));
        }
    }

    #[test]
    fn refuses_what_is_none() {
        for bad in [
            &b"x"[..],
            b"+OK\r\nx",
            b"\r\n",
            b"HTTP/1.1 400\r\n",
            b"\x15\x03\x01",
            b":one\r\n",
            b":\r\n",
            b"$2\r\nabc\r\n",
            b"$-2\r\n",
            b"*-2\r\n",
            b"%-1\r\n",
            b"*1\r\nx",
            b"#x\r\n",
            b",x\r\n",
            b">0\r\n",
            b">1\r\n:1\r\n",
            b">1\r\n$-1\r\n",
            b"+\xff\r\n",
            b"=5\r\ntxt:a\r\n",
        ] {
            assert_eq!(scan(bad), Err(Breach::Alien), "{}", String::from_utf8_lossy(bad));
        }
        assert_eq!(scan(&b"*1\r\n".repeat(DEPTH)), Ok(()));
        assert_eq!(scan(&b"*1\r\n".repeat(DEPTH + 1)), Err(Breach::Alien));
    }

    #[test]
    fn refuses_what_is_longer_than_anything_wanted() {
        assert_eq!(scan(b"$1000\r\n"), Ok(()));
        for long in [&b"$1001\r\n"[..], b"*1001\r\n", b"%9223372036854775807\r\n", b">2147483647\r\n"] {
            assert_eq!(scan(long), Err(Breach::Excessive), "{}", String::from_utf8_lossy(long));
        }
        assert_eq!(scan(b"$9223372036854775808\r\n"), Err(Breach::Alien));
    }
}
