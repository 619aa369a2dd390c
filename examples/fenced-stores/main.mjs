// Every store twice, with the token and without it: a holder is suspended for longer than its lock lasts, another comes,
// and the first writes all the same.

import { parseArgs } from 'node:util'
import { table } from './report.mjs'
import { runScenario } from './scenario.mjs'
import { startRedis } from './servers/redis.mjs'
import { stores } from './stores.mjs'

const NODES = 3
const FORMS = { fenced: 'with the token', unfenced: 'without it' }
const HELP = `Usage: npm run example:fenced-stores -- [options]

  --store <name>  ${Object.keys(stores).join(', ')}; may be given several times (default: all)
  --url <url>     a server of yours instead of one that is started for this, with one --store.
                  Databases: mysql://user:password@host/database, postgres://user:password@host/database.
                  The table fenced_items is made there, and a row in it.`

// exit() runs the exit handlers that stop servers and holders.
process.on('SIGINT', () => process.exit(130))
process.on('SIGTERM', () => process.exit(143))
process.exitCode = await main()

async function main() {
  let options
  try {
    options = parse()
  } catch (error) {
    console.error(`${error.message}\n\n${HELP}`)
    return 2
  }
  if (options.help) {
    console.log(HELP)
    return 0
  }
  const servers = []
  try {
    for (let i = 0; i < NODES; i++) servers.push(await startRedis())
    const nodes = servers.map((server) => server.url)
    const runs = []
    for (const name of options.names) runs.push(...(await runStore(name, nodes, options.url)))
    console.log(`\n${table(runs)}\n`)
    return conclude(runs)
  } finally {
    await Promise.all(servers.map((server) => server.stop()))
  }
}

async function runStore(name, nodes, url) {
  const { title, start } = stores[name]
  const server = url ? { url, async stop() {} } : await start()
  try {
    const runs = []
    for (const [form, words] of Object.entries(FORMS)) {
      console.log(`\n${title}, ${words}`)
      const say = (text) => console.log(`  ${text}`)
      runs.push({ title, form, result: await runScenario({ name, url: server.url, nodes, form, say }) })
    }
    return runs
  } finally {
    await server.stop()
  }
}

function conclude(runs) {
  const wrong = runs.filter(({ form, result: { A, lost } }) =>
    form === 'fenced' ? !A.refused || lost !== 0 : A.refused || lost === 0,
  )
  for (const { title, form } of wrong) console.error(`${title}, ${FORMS[form]}: not what was expected`)
  if (wrong.length > 0) return 1
  console.log('With the token, who comes late is refused, and no update is lost. Without it, the update of B is.')
  return 0
}

function parse() {
  const { values } = parseArgs({
    options: {
      store: { type: 'string', multiple: true, default: Object.keys(stores) },
      url: { type: 'string' },
      help: { type: 'boolean', short: 'h', default: false },
    },
  })
  const unknown = values.store.find((name) => !Object.hasOwn(stores, name))
  if (unknown !== undefined) {
    throw new TypeError(`--store must be one of ${Object.keys(stores).join(', ')}, not ${unknown}`)
  }
  if (values.url && values.store.length !== 1) throw new TypeError('--url needs exactly one --store')
  return { names: values.store, url: values.url, help: values.help }
}
