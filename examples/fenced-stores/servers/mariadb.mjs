// A MariaDB server on a unix socket, without accounts (its folder is closed to others) and without its system tables.

import { writeFileSync } from 'node:fs'
import { Server } from './server.mjs'

const DATABASE = 'example'

export function startMariadb() {
  return Server.start('mariadb', async (server) => {
    const socket = server.path('mariadb.sock')
    const init = server.path('init.sql')
    writeFileSync(init, `CREATE DATABASE ${DATABASE};\n`)
    await server.serve('mariadbd', [
      ...['--no-defaults', '--skip-grant-tables', '--skip-networking', '--performance-schema=OFF'],
      ...[`--datadir=${server.folder}`, `--socket=${socket}`, `--init-file=${init}`],
      ...['--innodb-buffer-pool-size=16M', '--innodb-log-file-size=4M', '--innodb-flush-log-at-trx-commit=0'],
      '--innodb-use-native-aio=OFF', // containers often withhold io_uring
    ])
    return `mysql://root@localhost/${DATABASE}?socketPath=${encodeURIComponent(socket)}`
  })
}
