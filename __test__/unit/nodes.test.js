'use strict'

const assert = require('node:assert/strict')
const { describe, test } = require('node:test')
const { parseNodes } = require('../../js/nodes')

const one = (node) => {
  const { natives, names, addresses, passwords } = parseNodes([node])
  return { native: natives[0], name: names[0], address: addresses[0], password: passwords[0] }
}

const refused = (nodes, Kind, message) =>
  assert.throws(
    () => parseNodes(nodes),
    (error) => {
      assert.ok(error instanceof Kind, error.stack)
      assert.match(error.message, message)
      assert.match(error.code, /^ERR_(INVALID_ARG_(TYPE|VALUE)|OUT_OF_RANGE)$/)
      assert.doesNotMatch(error.message, /s3cret/)
      assert.doesNotMatch(error.stack, /s3cret/)
      return true
    },
  )

describe('URLs', () => {
  const tls = { rejectUnauthorized: true }
  for (const [url, native, name] of [
    ['redis://localhost', { host: 'localhost', port: 6379, db: 0 }, 'localhost:6379'],
    ['redis://localhost:6380', { host: 'localhost', port: 6380, db: 0 }, 'localhost:6380'],
    ['redis://localhost/', { host: 'localhost', port: 6379, db: 0 }, 'localhost:6379'],
    ['redis://localhost/2', { host: 'localhost', port: 6379, db: 2 }, 'localhost:6379'],
    ['redis://localhost?db=3', { host: 'localhost', port: 6379, db: 3 }, 'localhost:6379'],
    ['valkey://v:1', { host: 'v', port: 1, db: 0 }, 'v:1'],
    ['rediss://r', { host: 'r', port: 6379, db: 0, tls }, 'r:6379'],
    ['valkeys://v:65535', { host: 'v', port: 65_535, db: 0, tls }, 'v:65535'],
    ['redis://:s3cret@h', { host: 'h', port: 6379, db: 0, password: 's3cret' }, 'h:6379'],
    ['redis://u:s3cret@h', { host: 'h', port: 6379, db: 0, username: 'u', password: 's3cret' }, 'h:6379'],
    ['redis://u%40x:a%2Fb%3A%40c@h', { host: 'h', port: 6379, db: 0, username: 'u@x', password: 'a/b:@c' }, 'h:6379'],
    ['redis://10.0.0.1:7000', { host: '10.0.0.1', port: 7000, db: 0 }, '10.0.0.1:7000'],
    ['redis://[::1]:7000', { host: '::1', port: 7000, db: 0 }, '[::1]:7000'],
    ['redis://[0:0:0:0:0:0:0:1]', { host: '::1', port: 6379, db: 0 }, '[::1]:6379'],
    ['unix:///run/redis.sock', { path: '/run/redis.sock', db: 0 }, '/run/redis.sock'],
    ['unix:///run/a%20b.sock?db=1', { path: '/run/a b.sock', db: 1 }, '/run/a b.sock'],
    ['redis+unix://:s3cret@/run/r.sock', { path: '/run/r.sock', db: 0, password: 's3cret' }, '/run/r.sock'],
    ['unix://u:p%40s@/run/r.sock', { path: '/run/r.sock', db: 0, username: 'u', password: 'p@s' }, '/run/r.sock'],
    ['REDIS://Host', { host: 'Host', port: 6379, db: 0 }, 'Host:6379'],
  ]) {
    test(url, () => {
      assert.deepEqual(one(url).native, native)
      assert.equal(one(url).name, name)
      assert.deepEqual(one({ url }).native, native)
    })
  }

  for (const [url, message] of [
    ['localhost:6379', /must have one of the schemes/],
    ['s3cret@localhost', /must be a URL \(redis:\/\/ .*; got "\*\*\*@localhost"$/],
    ['http://u:s3cret@h', /must have one of the schemes .*; got "http:\/\/\*\*\*@h"$/],
    ['redis://', /must name a host/],
    ['redis:///2', /must name a host/],
    ['redis://:s3cret@', /must be a URL|must name a host/],
    ['redis://h:99999', /must be a URL/],
    ['redis://h:0', /port between 1 and 65535/],
    ['redis://h/x', /database number as its path/],
    ['redis://h/-1', /database number as its path/],
    ['redis://h/65536', /db must be an integer between 0 and 65535; got 65536$/],
    ['redis://h/1?db=1', /give the database once/],
    ['redis://h?db=1&db=2', /give the database once/],
    ['redis://h?db=x', /database number as its db/],
    ['redis://h?password=s3cret', /no query parameter but db; got "redis:\/\/h\?password=\*\*\*"$/],
    ['redis://h?timeout=5', /no query parameter but db/],
    ['redis://h#x', /no fragment/],
    ['redis://u@h', /must have a password when it has a username/],
    ['redis://:%s3cret@h', /percent-encoded correctly/],
    ['redis://:s3/cret@h', /./],
    ['unix://h/run/r.sock', /absolute socket path/],
    ['unix://', /absolute socket path/],
    ['unix:///', /absolute socket path/],
    ['unix:///r.sock?password=s3cret', /no query parameter but db/],
    ['memory:', /must have a name after 'memory:'/],
    ['', /must be 'memory', a URL/],
  ]) {
    test(`refused: ${url}`, () => {
      refused(url, url === 'redis://h/65536' ? RangeError : TypeError, message)
      if (url !== '') refused([url], Error, message)
    })
  }
})

describe('objects', () => {
  test('host and port', () => {
    assert.deepEqual(one({ host: 'h' }).native, { host: 'h', port: 6379, db: 0 })
    assert.deepEqual(one({ host: '[::1]', port: 7 }).native, { host: '::1', port: 7, db: 0 })
    assert.deepEqual(one({ host: '::1', port: 7 }).name, '[::1]:7')
  })

  test('path, db, credentials, name', () => {
    const node = { path: '/run//r.sock', db: 3, username: 'u', password: 's3cret', name: 'first' }
    const native = { path: '/run/r.sock', db: 3, username: 'u', password: 's3cret' }
    assert.deepEqual(one(node).native, native)
    assert.equal(one(node).name, 'first')
    assert.equal(one(node).address, 'unix:/run/r.sock/3')
  })

  test('what a url leaves open may stand beside it', () => {
    const node = { url: 'rediss://h', username: 'u', password: 's3cret', db: 2, tls: { servername: 's' }, name: 'n' }
    assert.deepEqual(one(node).native, {
      host: 'h',
      port: 6379,
      db: 2,
      username: 'u',
      password: 's3cret',
      tls: { rejectUnauthorized: true, servername: 's' },
    })
  })

  test('a password that is asked for', () => {
    const ask = () => 's3cret'
    assert.deepEqual(one({ host: 'h', password: ask }).native, { host: 'h', port: 6379, db: 0, askPassword: true })
    assert.equal(one({ host: 'h', password: ask }).password, ask)
    assert.equal(one({ host: 'h', password: 's3cret' }).password, null)
  })

  for (const [node, message] of [
    [{}, /nodes\[0\]\.host must be a host name or address; got undefined/],
    [{ host: '' }, /host must be a host name/],
    [{ host: 'redis://:s3cret@h' }, /without scheme, port or password; got "\*\*\*@h"/],
    [{ host: 'h:6379' }, /without scheme, port or password/],
    [{ host: 'h', port: 0 }, /port must be an integer between 1 and 65535; got 0/],
    [{ host: 'h', port: '6379' }, /port must be an integer between 1 and 65535; got "6379"/],
    [{ host: 'h', path: '/r.sock' }, /either a path or a host and port/],
    [{ path: 'r.sock' }, /absolute socket path/],
    [{ path: '/r.sock', tls: true }, /tls must be absent for a socket path/],
    [{ url: 'redis://h', host: 'h' }, /either a url or a host/],
    [{ url: 'redis://h', port: 1 }, /either a url or a port/],
    [{ url: 7 }, /url must be a URL/],
    [{ url: 'memory' }, /stands alone/],
    [{ url: 'redis://:s3cret@h', password: 's3cret' }, /its password once/],
    [{ url: 'redis://u:s3cret@h', username: 'u' }, /its username once/],
    [{ url: 'redis://h/1', db: 1 }, /its db once/],
    [{ url: 'redis://h', tls: true }, /tls must be absent for redis:\/\//],
    [{ url: 'redis://h', tls: {} }, /tls must be absent for redis:\/\//],
    [{ url: 'rediss://h', tls: false }, /tls must be true or an object .*; got false/],
    [{ host: 'h', tls: false }, /tls must be true or an object .*; got false/],
    [{ host: 'h', username: 'u' }, /must have a password when it has a username/],
    [
      { host: 'h', password: '' },
      /password must be a non-empty string or a function that returns one; got an empty string/,
    ],
    [{ host: 'h', password: 123_456 }, /got a number$/],
    [{ host: 'h', db: -1 }, /db must be an integer between 0 and 65535; got -1/],
    [{ host: 'h', name: '' }, /name must be/],
    [{ host: 'h', name: 'a\nb' }, /printable/],
    [{ host: 'h', passwort: 's3cret' }, /only have the names url, host, .*; got "passwort"/],
    [7, /nodes\[0\] must be a URL or an object/],
    [null, /nodes\[0\] must be a URL or an object/],
    [['redis://h'], /nodes\[0\] must be a URL or an object/],
  ]) {
    test(`refused: ${JSON.stringify(node)}`, () => refused([node], Error, message))
  }
})

describe('lists', () => {
  test('memory', () => {
    assert.deepEqual(parseNodes('memory').natives, [{ memory: '' }])
    assert.deepEqual(parseNodes(['memory:shop']).natives, [{ memory: 'shop' }])
    assert.deepEqual(parseNodes('memory:shop').names, ['memory:shop'])
  })

  test('nothing is no list of nodes', () => {
    for (const nodes of [undefined, null, {}, 7, new URL('redis://h'), [], ''])
      refused(nodes, TypeError, /^nodes must be 'memory', a URL/)
  })

  test('memory does not mix', () => {
    refused(
      ['redis://h', 'memory'],
      TypeError,
      /^nodes\[1\] must be a URL or an object: 'memory' stands alone; got "memory"$/,
    )
    refused(['memory', 'memory:b'], TypeError, /^nodes\[0\] must be/)
  })

  test('the same host, port and db twice', () => {
    const twice =
      /^nodes\[1\] must differ from nodes\[0\] in host, port or db \(a server votes once\); got "h:6379\/0"$/
    refused(['redis://h', 'redis://h'], RangeError, twice)
    refused(['redis://h', { host: 'H', port: 6379 }], RangeError, twice)
    refused(['redis://h', 'rediss://u:s3cret@h:6379/0'], RangeError, twice)
    refused(['unix:///a.sock', { path: '/./a.sock' }], RangeError, /got "unix:\/a.sock\/0"/)
    refused(['redis://[::1]', { host: '0:0::1' }], RangeError, /got "\[::1\]:6379\/0"/)
    parseNodes(['redis://h', 'redis://h/1', 'redis://h:6380', 'redis://127.0.0.1', 'redis://localhost'])
  })

  test('at most 15', () => {
    const nodes = Array.from({ length: 16 }, (_, i) => `redis://n${i}`)
    assert.equal(parseNodes(nodes.slice(1)).natives.length, 15)
    refused(nodes, RangeError, /^nodes must have at most 15 nodes; got an array of 16$/)
  })

  test('names are distinct', () => {
    const named = ['a', 'b', 'a', 'a', 'a#2'].map((name, i) => ({ host: `h${i}`, name }))
    assert.deepEqual(parseNodes(named).names, ['a', 'b', 'a#3', 'a#4', 'a#2'])
    assert.deepEqual(parseNodes(['redis://h', 'redis://h/1']).names, ['h:6379', 'h:6379#2'])
  })
})
