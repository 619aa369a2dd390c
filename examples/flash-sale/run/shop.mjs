// The whole shop: servers, application processes, one address.

import { Application } from './application.mjs'
import { startProxy } from './proxy.mjs'
import { startServers } from './servers/servers.mjs'

/**
 * `env` is added to the applications' environment. What is not stopped by close() is stopped when this process exits.
 *
 * @returns {Promise<{ url, applications, nodes, queue, env, close() }>}
 */
export async function openShop({ processes, env = {}, port, show }) {
  const closers = []
  const close = async () => {
    for (const closer of closers.splice(0).reverse()) await closer()
  }
  try {
    const servers = await startServers()
    closers.push(() => servers.close())
    const applications = Array.from({ length: processes }, () => new Application({ ...servers.env, ...env }, { show }))
    closers.push(() => Promise.all(applications.map((application) => application.close())))
    await Promise.all(applications.map((application) => application.start()))
    const proxy = await startProxy(() => applications.map(({ port }) => port), { port })
    closers.push(() => proxy.close())
    const { nodes, queue } = servers
    return { url: proxy.url, applications, nodes, queue, env: servers.env, close }
  } catch (error) {
    await close()
    throw error
  }
}
