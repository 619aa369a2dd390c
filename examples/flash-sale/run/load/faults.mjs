// What goes wrong during the sale, in this order. Each waits for the sale to be so far, and for the nodes to vote again
// that the one before has taken away: more than one node at a time is only taken by the last, which takes all.

import { setTimeout as sleep } from 'node:timers/promises'

const POLL_MS = 100

const NODE_DOWN_MS = 1000
const PROCESS_DOWN_MS = 500
const NODE_SUSPENDED_MS = 2000
const QUORUM_SUSPENDED_MS = 5000
/** How much longer it is on a machine that has not sold anything by the fallback until then. */
const FALLBACK_LIMIT_MS = 10_000

export const FAULTS = {
  nodeKilled: 'a lock node killed',
  processKilled: 'an application process killed',
  nodeSuspended: 'a lock node stopped',
  quorumSuspended: 'all lock nodes stopped',
}

/** Parts of the stock. The node that was killed is kept from voting by its restart guard from the first to the third. */
const WHEN_SOLD = { nodeKilled: 0.05, processKilled: 0.2, nodeSuspended: 0.35, quorumSuspended: 0.5 }

/**
 * `soldByFallback()` gives how many. Resolves when all of it has happened and is over; rejects with the signal's reason when
 * the time is up. What shows that a fault has been one is kept with it in the journal, and looked at afterwards.
 */
export async function breakThings({ shop, items, journal, clients, soldByFallback, signal, say }) {
  const { nodes, applications } = shop
  const soldOf = (part) => () => journal.sold >= Math.ceil(items * part)
  const until = async (condition) => {
    while (!(await condition())) await sleep(POLL_MS, undefined, { signal })
  }
  const ask = (look) => Promise.all(clients().map(look))
  const allVote = () => until(async () => (await ask(allNodesUp)).every(Boolean))
  /** When a process has noticed that the node is away. */
  const missed = async (node) => {
    await until(async () => (await ask((client) => misses(client, node))).some(Boolean))
    return { missed: true }
  }
  /** `happen()` is the fault from its beginning to its end; it resolves with what shows it. */
  const during = async (name, words, happen) => {
    say(words)
    const end = journal.fault(name)
    end(await happen())
    say(`${name}: over`)
  }
  const pause = (ms) => sleep(ms, undefined, { signal })

  await until(soldOf(WHEN_SOLD.nodeKilled))
  const nodeKilled = async () => {
    await nodes[0].kill()
    await pause(NODE_DOWN_MS)
    const shown = await missed(nodes[0])
    await nodes[0].launch()
    await allVote()
    return shown
  }
  const firstNode = during(FAULTS.nodeKilled, 'lock node 1 is killed, and started again without its data', nodeKilled)
  firstNode.catch(() => {}) // awaited below

  await until(soldOf(WHEN_SOLD.processKilled))
  const victim = applications[1]
  let inHand = 0
  await until(async () => {
    inHand = (await statusOf(clients()[1]))?.byKind.orderCreation.held ?? 0
    return inHand > 0
  })
  await during(FAULTS.processKilled, 'application process 2 is killed with -9, and started again', async () => {
    const endedBy = await victim.kill()
    await pause(PROCESS_DOWN_MS)
    await victim.start()
    return { endedBy, inHand }
  })

  await firstNode
  await until(soldOf(WHEN_SOLD.nodeSuspended))
  await during(FAULTS.nodeSuspended, 'lock node 2 is stopped (SIGSTOP), and continued', async () => {
    nodes[1].suspend()
    await pause(NODE_SUSPENDED_MS)
    const shown = await missed(nodes[1])
    nodes[1].continue()
    await allVote()
    return shown
  })

  await until(soldOf(WHEN_SOLD.quorumSuspended))
  const before = await soldByFallback()
  await during(FAULTS.quorumSuspended, 'all lock nodes are stopped for five seconds, and continued', async () => {
    for (const node of nodes) node.suspend()
    await pause(QUORUM_SUSPENDED_MS)
    const limit = journal.now() + FALLBACK_LIMIT_MS
    await until(async () => journal.now() > limit || (await soldByFallback()) > before)
    for (const node of nodes) node.continue()
  })
}

/** As the process behind `client` sees its locks and nodes; nothing where it does not answer. */
async function statusOf(client) {
  try {
    return (await client.get('/api/v1/locks/status')).body
  } catch {
    return undefined
  }
}

/** In all its instances; false where it does not answer. */
async function allNodesUp(client) {
  const status = await statusOf(client)
  return status?.instances.every(({ nodes }) => nodes.every(({ state }) => state === 'up')) ?? false
}

/** In one of its instances; false where it does not answer. */
async function misses(client, { url }) {
  const { host } = new URL(url)
  const status = await statusOf(client)
  return (
    status?.instances.some(({ nodes }) => nodes.some(({ name, state }) => name === host && state === 'down')) ?? false
  )
}
