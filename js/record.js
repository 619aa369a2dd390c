'use strict'

// One answer of native code: 13 int32 words in the mailbox's buffer. These are the words' places and the kinds.
// The same table stands in src/binding.

module.exports = {
  WORDS: 13,

  ENGINE: 0,
  SLOT: 1,
  KIND: 2,
  CODE: 3, // attempts for a grant; the result of a release; the reason of a loss
  VOTES: 4, // two words
  ID: 6, // four words, big-endian
  TTL: 10,
  TOKEN: 11, // two words; 0 without fencing

  GRANTED: 1,
  CONTENDED: 2,
  UNAVAILABLE: 3,
  CANCELLED: 4,
  EXTENDED: 5,
  EXTEND_FAILED: 6,
  RELEASED: 7,
  LOST: 8,
  CONNECTED: 9,
  CONNECT_FAILED: 10,
  INSPECTED: 11,
  NOTICE: 12,
}
