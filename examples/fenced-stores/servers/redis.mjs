// A Redis server on a unix socket: a lock node, or the store. The two are never the same.

import { Server } from './server.mjs'

export function startRedis() {
  return Server.start('redis', async (server) => {
    const socket = server.path('redis.sock')
    const options = ['--port', '0', '--unixsocket', socket, '--dir', server.folder, '--save', '', '--appendonly', 'no']
    await server.serve('redis-server', options)
    return `unix://${socket}`
  })
}
