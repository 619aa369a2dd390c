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

/** Parts of the stock. The node that was killed is kept from voting by its restart guard from the first to the third. */
const WHEN_SOLD = { nodeKilled: 0.05, processKilled: 0.2, nodeSuspended: 0.35, quorumSuspended: 0.5 }

/** `soldByFallback()` gives how many. Resolves when all of it has happened and is over; rejects with the signal's reason when the time is up. */
export async function breakThings({ shop, items, journal, clients, soldByFallback, signal, say }) {
  const { nodes, applications } = shop
  const soldOf = (part) => () => journal.sold >= Math.ceil(items * part)
  const until = async (condition) => {
    while (!(await condition())) await sleep(POLL_MS, undefined, { signal })
  }
  const allVote = () => until(async () => (await Promise.all(clients().map(allNodesUp))).every(Boolean))
  const during = async (name, words, break_, mend) => {
    say(words)
    const end = journal.fault(name)
    await break_()
    await mend()
    end()
    say(`${name}: over`)
  }
  const pause = (ms) => sleep(ms, undefined, { signal })

  await until(soldOf(WHEN_SOLD.nodeKilled))
  const firstNode = during(
    'a lock node killed',
    'lock node 1 is killed, and started again without its data',
    () => nodes[0].kill(),
    async () => {
      await pause(NODE_DOWN_MS)
      await nodes[0].launch()
      await allVote()
    },
  )
  firstNode.catch(() => {}) // awaited below

  await until(soldOf(WHEN_SOLD.processKilled))
  const victim = applications[1]
  await during(
    'an application process killed',
    'application process 2 is killed with -9, and started again',
    () => victim.kill(),
    async () => {
      await pause(PROCESS_DOWN_MS)
      await victim.start()
    },
  )

  await firstNode
  await until(soldOf(WHEN_SOLD.nodeSuspended))
  await during(
    'a lock node stopped',
    'lock node 2 is stopped (SIGSTOP), and continued',
    () => nodes[1].suspend(),
    async () => {
      await pause(NODE_SUSPENDED_MS)
      nodes[1].continue()
      await allVote()
    },
  )

  await until(soldOf(WHEN_SOLD.quorumSuspended))
  const before = await soldByFallback()
  await during(
    'all lock nodes stopped',
    'all lock nodes are stopped for five seconds, and continued',
    () => nodes.forEach((node) => void node.suspend()),
    async () => {
      await pause(QUORUM_SUSPENDED_MS)
      const limit = journal.now() + FALLBACK_LIMIT_MS
      await until(async () => journal.now() > limit || (await soldByFallback()) > before)
      for (const node of nodes) node.continue()
    },
  )
}

/** As the process behind `client` sees them, all its instances; false where it does not answer. */
async function allNodesUp(client) {
  try {
    const { body } = await client.get('/api/v1/locks/status')
    return body.instances.every(({ nodes }) => nodes.every(({ state }) => state === 'up'))
  } catch {
    return false
  }
}
