// The ESM face of `quorlock/testing`: the same object as `require` gives. See ../index.mjs for why it imports js/.

import native from '../js/native.js'
import testRedlock from '../js/testing/test-redlock.js'

native.loadNative()

export const { TestRedlock } = testRedlock
