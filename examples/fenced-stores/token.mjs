/**
 * A lock of an instance without `fencing: true` has no token. A store that is given none has to say so, instead of
 * comparing with nothing.
 */
export function checkToken(token) {
  if (typeof token !== 'number') throw new TypeError(`token must be a number, not ${token}; is \`fencing\` on?`)
  if (!Number.isSafeInteger(token) || token < 1) {
    throw new RangeError(`token must be an integer from 1 to ${Number.MAX_SAFE_INTEGER}, not ${token}`)
  }
}
