// A Postgres server on a unix socket. Nothing is synced to the disk: it lives as long as the example does.

import { Server } from './server.mjs'

const DATABASE = 'postgres' // the one that initdb makes
const USER = 'example'

export function startPostgres() {
  const launch = async (server) => {
    const data = server.path('data')
    const options = ['--username', USER, '--auth', 'trust', '--encoding', 'UTF8', '--locale', 'C', '--no-sync']
    await server.run('initdb', ['--pgdata', data, ...options])
    const settings = {
      listen_addresses: '',
      unix_socket_directories: server.folder,
      shared_buffers: '16MB',
      fsync: 'off',
    }
    const words = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])
    await server.serve('postgres', ['-D', data, ...words])
    return `postgres://${USER}@/${DATABASE}?host=${encodeURIComponent(server.folder)}`
  }
  // "Immediate shutdown": a postmaster that is killed leaves its children to find out by themselves.
  return Server.start('postgres', launch, { stopSignal: 'SIGQUIT' })
}
