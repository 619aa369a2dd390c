'use strict'

// A process of the service that reaches the shop's Postgres through a proxy of its own.

const { TcpProxy } = require('../support/proxy')
const { load } = require('./shop')

const PORT = 5432 // a part of the socket's name

/** @returns {Promise<{ proxy: TcpProxy, application, client }>} */
async function startProxied(t, shop, env) {
  const { username, pathname, searchParams } = new URL(shop.env.DATABASE_URL.replace('@/', '@localhost/'))
  const proxy = await TcpProxy.start(`${searchParams.get('host')}/.s.PGSQL.${PORT}`)
  t.after(() => proxy.stop())
  const DATABASE_URL = `postgres://${username}@127.0.0.1:${proxy.port}${pathname}`
  const application = new (await load('application.mjs')).Application({ ...shop.env, ...env, DATABASE_URL })
  t.after(() => application.close())
  await application.start()
  const client = new (await load('client.mjs')).Client(application.url)
  t.after(() => client.close())
  return { proxy, application, client }
}

module.exports = { startProxied }
