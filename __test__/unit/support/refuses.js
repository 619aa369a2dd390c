'use strict'

const assert = require('node:assert/strict')

const KINDS = { ERR_INVALID_ARG_TYPE: TypeError, ERR_INVALID_ARG_VALUE: TypeError, ERR_OUT_OF_RANGE: RangeError }

/** That `run` throws, or rejects, in the one shape of complaints about input: class, code and the whole message. */
async function refuses(run, code, message) {
  await assert.rejects(
    async () => run(),
    (error) => {
      assert.equal(error.message, message)
      assert.equal(error.code, code)
      assert.equal(Object.getPrototypeOf(error), KINDS[code].prototype)
      return true
    },
  )
}

module.exports = { refuses }
