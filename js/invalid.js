'use strict'

// The one shape of every complaint about input: `<argument> must be <what is wanted>; got <what was given>`.
// What was given is shortened, and never shows a password.

const SHOWN_CHARS = 80

/** @returns {TypeError} the argument has the wrong type */
const wrongType = (name, wanted, given) => problem(TypeError, 'ERR_INVALID_ARG_TYPE', name, wanted, show(given))

/** @returns {TypeError} the type is right, the value makes no sense */
const wrongValue = (name, wanted, given) => problem(TypeError, 'ERR_INVALID_ARG_VALUE', name, wanted, show(given))

/** @returns {RangeError} a number, a length or a count is outside its limits */
const outOfRange = (name, wanted, given) => problem(RangeError, 'ERR_OUT_OF_RANGE', name, wanted, show(given))

/** As the three above, for input whose text is a secret: `given` is our own description of it. */
const described = (Kind, code, name, wanted, given) => problem(Kind, code, name, wanted, given)

function problem(Kind, code, name, wanted, given) {
  const error = new Kind(`${name} must ${wanted}; got ${given}`)
  error.code = code
  return error
}

/** A short, safe description of any value. */
function show(value) {
  switch (typeof value) {
    case 'string':
      return JSON.stringify(shorten(value.includes('://') ? redact(value) : value))
    case 'bigint':
      return `${shorten(String(value))}n`
    case 'function':
      return 'a function'
    case 'symbol':
      return 'a symbol'
    case 'object':
      return showObject(value)
    default:
      return Object.is(value, -0) ? '-0' : String(value)
  }
}

function showObject(value) {
  if (value === null) return 'null'
  if (Array.isArray(value)) return value.length === 0 ? 'an empty array' : `an array of ${value.length}`
  const name = value.constructor?.name
  return typeof name === 'string' && name !== '' && name !== 'Object' ? `an instance of ${shorten(name)}` : 'an object'
}

/** Says only the type: for values whose text may be a secret. */
const showType = (value) =>
  typeof value === 'string' ? 'a string' : typeof value === 'number' ? 'a number' : show(value)

/**
 * Hides what may be a password in an address: all between the scheme and the last `@`, and the value of every query
 * parameter but `db`. Deliberately greedy, since it is asked to show addresses that could not be parsed.
 */
const redact = (text) =>
  text.replace(/^([a-z][a-z0-9+.-]*:\/\/)?.*@/is, '$1***@').replace(/([?&](?!db=)[^=&#]*)=[^&#]*/gi, '$1=***')

const shorten = (text, limit = SHOWN_CHARS) => (text.length <= limit ? text : `${text.slice(0, limit).toWellFormed()}…`)

module.exports = { wrongType, wrongValue, outOfRange, described, show, showType, redact, shorten }
