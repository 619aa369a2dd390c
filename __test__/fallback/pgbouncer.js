'use strict'

// A PgBouncer in front of a Postgres, on a unix socket.

const fs = require('node:fs')
const { load } = require('../recipes/recipe')

const PORT = 6432 // a part of the socket's name, nothing more

/**
 * @param {string} url of the Postgres
 * @param {'session' | 'transaction'} poolMode
 * @param {number} connections to the Postgres, at most
 * @returns {Promise<{ url: string, stop(): Promise<void> }>}
 */
async function startPgbouncer(url, poolMode, connections) {
  const { Server } = await load('servers/server.mjs')
  const { username, pathname, searchParams } = new URL(url.replace('@/', '@localhost/'))
  const database = pathname.slice(1)
  const launch = async (server) => {
    const settings = {
      listen_addr: '',
      listen_port: PORT,
      unix_socket_dir: server.folder,
      auth_type: 'any', // everybody is the user named above
      pool_mode: poolMode,
      default_pool_size: connections,
    }
    const lines = Object.entries(settings).map(([name, value]) => `${name} = ${value}`)
    const target = `${database} = host=${searchParams.get('host')} user=${username}`
    const file = server.path('pgbouncer.ini')
    fs.writeFileSync(file, ['[databases]', target, '[pgbouncer]', ...lines, ''].join('\n'))
    await server.serve('pgbouncer', [file], /process up/)
    return `postgres://${username}@/${database}?host=${encodeURIComponent(server.folder)}&port=${PORT}`
  }
  return Server.start('pgbouncer', launch)
}

module.exports = { startPgbouncer }
