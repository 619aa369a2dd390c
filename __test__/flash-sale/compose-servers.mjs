// What Docker would start from docker-compose.yml, started here: the same commands and accounts, on free ports.

import { writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { Server } from '../../examples/fenced-stores/servers/server.mjs'
import { freePort, HOST } from '../../examples/flash-sale/run/servers/ports.mjs'

const { Client } = createRequire(new URL('../../examples/flash-sale/package.json', import.meta.url))('pg')

/** @returns {Promise<{ ports: Record<string, string>, stop(): Promise<void> }>} */
export async function startFromCompose(services) {
  const ports = {}
  const started = []
  const stop = () => Promise.all(started.splice(0).map((server) => server.stop()))
  try {
    for (const [name, service] of Object.entries(services)) {
      ports[name] = String(await freePort())
      started.push(await (service.command ? startRedis(service, ports[name]) : startPostgres(service, ports[name])))
    }
    return { ports, stop }
  } catch (error) {
    await stop()
    throw error
  }
}

function startRedis({ command }, port) {
  const [program, ...words] = command.split(' ')
  return Server.start('redis', (server) =>
    server.serve(program, [...words, '--port', port, '--bind', HOST, '--dir', server.folder]),
  )
}

/** As the image does: an account with a password, and a database of its own. */
function startPostgres({ environment: { POSTGRES_USER: user, POSTGRES_PASSWORD: password, POSTGRES_DB: name } }, port) {
  const launch = async (server) => {
    const [data, secret] = [server.path('data'), server.path('password')]
    writeFileSync(secret, password, { mode: 0o644 }) // within a folder that nobody else can enter
    const account = ['--username', user, '--pwfile', secret, '--auth', 'scram-sha-256']
    await server.run('initdb', ['--pgdata', data, ...account, '--encoding', 'UTF8', '--locale', 'C', '--no-sync'])
    const settings = { listen_addresses: HOST, port, unix_socket_directories: server.folder, fsync: 'off' }
    const words = Object.entries(settings).flatMap(([key, value]) => ['-c', `${key}=${value}`])
    await server.serve('postgres', ['-D', data, ...words])
    const client = new Client({ host: HOST, port, user, password, database: 'postgres' })
    await client.connect()
    await client.query(`CREATE DATABASE ${client.escapeIdentifier(name)}`)
    await client.end()
  }
  return Server.start('postgres', launch, { stopSignal: 'SIGQUIT' })
}
