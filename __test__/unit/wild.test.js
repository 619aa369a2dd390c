'use strict'

// Whatever the addresses, options and variables are: they are taken as what they say, or refused with one of Node's own
// errors, in a text of bounded length that shows no password. QUORLOCK_FUZZ_SEED and QUORLOCK_FUZZ_CASES have a case again.

const { test } = require('node:test')
const assert = require('node:assert/strict')
const { nodesFromEnv } = require('../../js/env')
const { parseUrl } = require('../../js/node-url')
const { parseNodes } = require('../../js/nodes')
const { parseOptions } = require('../../js/options')
const { Wild, SECRET } = require('../support/wild')

const FIRST = Number(process.env.QUORLOCK_FUZZ_SEED ?? 1)
const CASES = Number(process.env.QUORLOCK_FUZZ_CASES ?? 3000)
const LONGEST_MESSAGE = 2000

const OPTIONS = [
  ...['keyPrefix', 'quorum', 'driftFactor', 'retryCount', 'retryDelay', 'retryDelayMax', 'wait', 'nodeTimeout'],
  ...['connectTimeout', 'defaultTtl', 'maxTtl', 'renew', 'maxHold', 'stallLimit', 'handoverLimit', 'fencing'],
  ...['restartGuard', 'clientName'],
]

/** The answer of a parser, or undefined where it refuses, in the way that it may. */
function taken(parse) {
  try {
    return parse()
  } catch (error) {
    assert.ok(error instanceof TypeError || error instanceof RangeError, error.stack)
    assert.match(String(error.code), /^ERR_/, error.stack)
    assert.ok(error.message.length <= LONGEST_MESSAGE, `a message of ${error.message.length} characters`)
    assert.ok(!error.message.includes(SECRET), error.message)
    return undefined
  }
}

function everyCase(check) {
  for (let seed = FIRST; seed < FIRST + CASES; seed++) {
    try {
      check(new Wild(seed))
    } catch (error) {
      error.message += `\nagain: QUORLOCK_FUZZ_SEED=${seed} QUORLOCK_FUZZ_CASES=1 node --test __test__/unit/wild.test.js`
      throw error
    }
  }
}

/** What native code may be given. */
function checkNative(native) {
  if ('memory' in native) return assert.equal(typeof native.memory, 'string')
  if (native.path !== undefined) {
    assert.ok(native.path.startsWith('/') && !native.path.includes('\0'), native.path)
  } else {
    assert.match(native.host, /^[^\s/@?#[\]\\]+$/)
    assert.ok(Number.isInteger(native.port) && native.port >= 1 && native.port <= 65_535, String(native.port))
  }
  assert.ok(Number.isInteger(native.db) && native.db >= 0 && native.db <= 65_535, String(native.db))
  for (const name of ['username', 'password']) assert.ok(['string', 'undefined'].includes(typeof native[name]), name)
}

test('addresses', () => {
  let good = 0
  everyCase((wild) => {
    const fields = taken(() => parseUrl('nodes', wild.address()))
    if (fields === undefined) return
    good++
    assert.equal(typeof fields.tls, 'boolean')
    assert.ok((fields.host === undefined) !== (fields.path === undefined))
  })
  assert.ok(CASES < 100 || good > CASES / 100, `only ${good} were good`)
})

test('addresses that are made of their parts give the parts back', () => {
  everyCase((wild) => {
    const text = () =>
      wild.list(8, () => wild.pick(['a', 'B', '7', ':', '/', '@', '%', '?', '#', ' ', 'ä', '名'])).join('')
    const parts = { host: wild.pick(['localhost', '127.0.0.1', '[::1]', 'a-b.c']), tls: wild.percent(50) }
    if (wild.percent(50)) parts.port = 1 + wild.below(65_535)
    if (wild.percent(50)) parts.db = wild.below(65_536)
    const [username, password] = [text(), text()]
    if (password !== '') parts.password = password
    if (password !== '' && username !== '') parts.username = username
    const who = password === '' ? '' : `${encodeURIComponent(parts.username ?? '')}:${encodeURIComponent(password)}@`
    const { port, db } = parts
    const where = `${parts.host}${port === undefined ? '' : `:${port}`}${db === undefined ? '' : `/${db}`}`
    assert.deepEqual(parseUrl('nodes', `${parts.tls ? 'rediss' : 'redis'}://${who}${where}`), parts)
  })
})

test('nodes', () => {
  let good = 0
  everyCase((wild) => {
    const parsed = taken(() => parseNodes(wild.nodes()))
    if (parsed === undefined) return
    good++
    assert.ok(parsed.natives.length >= 1 && parsed.natives.length <= 15)
    assert.equal(new Set(parsed.names).size, parsed.natives.length)
    parsed.natives.forEach(checkNative)
    // The path of a socket may have any letters.
    const named = parsed.names.filter((_, i) => parsed.natives[i].path === undefined)
    assert.ok(!named.some((name) => name.includes(SECRET)), named.join())
  })
  assert.ok(CASES < 100 || good > CASES / 100, `only ${good} were good`)
})

test('options', () => {
  let good = 0
  everyCase((wild) => {
    const options = {
      ...wild.object(OPTIONS.filter(() => wild.percent(20))),
      nodes: ['redis://a', 'redis://b', 'redis://c'],
    }
    if (wild.percent(20)) options.nodes = wild.nodes()
    const settings = taken(() => parseOptions(options))
    if (settings === undefined) return
    good++
    const { native } = settings
    const count = native.nodes.length
    assert.ok(native.quorum > count / 2 && native.quorum <= count)
    assert.ok(native.driftFactor >= 0 && native.driftFactor <= 0.5)
    assert.ok(settings.defaultTtl <= settings.maxTtl)
    for (const name of [
      'nodeTimeout',
      'connectTimeout',
      'maxTtl',
      'maxHold',
      'stallLimit',
      'handoverLimit',
      'retryDelay',
    ]) {
      assert.ok(Number.isInteger(native[name]) && native[name] >= 1, `${name} ${native[name]}`)
    }
    assert.ok([0, 1, 2].includes(native.restartGuard))
  })
  assert.ok(CASES < 100 || good > CASES / 100, `only ${good} were good`)
})

test('environments', () => {
  let good = 0
  everyCase((wild) => {
    const nodes = taken(() => nodesFromEnv(wild.environment()))
    if (nodes === undefined) return
    good++
    parseNodes(nodes).natives.forEach(checkNative)
  })
  assert.ok(CASES < 100 || good > CASES / 100, `only ${good} were good`)
})
