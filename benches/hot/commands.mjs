// Commands that the servers carried out between two looks, without those that looking costs. A command inside a script
// counts as one, as the servers count it.

import { openWire } from './wire.mjs'

export async function openCounter(nodes) {
  const wires = await Promise.all(nodes.map(openWire))
  const look = async () => {
    const found = await Promise.all(
      wires.map((wire) => wire.ask(/total_commands_processed:(\d+)\r\n[\s\S]*\r\n$/, 'INFO stats\r\n')),
    )
    return found.reduce((sum, [, count]) => sum + Number(count), 0)
  }
  const first = await look()
  const cost = (await look()) - first
  return {
    /** The number since the last time. */
    async begin() {
      const before = await look()
      return async () => (await look()) - before - cost
    },
    close() {
      for (const wire of wires) wire.close()
    },
  }
}
