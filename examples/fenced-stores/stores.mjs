// The stores by name: what each is called, and how a server of it is started.

import { startHttp } from './servers/http.mjs'
import { startMariadb } from './servers/mariadb.mjs'
import { startPostgres } from './servers/postgres.mjs'
import { startRedis } from './servers/redis.mjs'

export const stores = {
  postgres: { title: 'Postgres', start: startPostgres },
  mariadb: { title: 'MariaDB', start: startMariadb },
  redis: { title: 'Redis', start: startRedis },
  http: { title: 'HTTP, If-Match', start: startHttp },
}
