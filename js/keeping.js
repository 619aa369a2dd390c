'use strict'

// Whether an instance that nobody knows any more may be collected. While it has work to do, or is listened to, it stays.

/** Nothing is owed and nothing held: whether this desk may be collected. */
const rests = (desk) => desk.isInLab || (desk.live === 0 && !desk.emitter.isListened)

/** Listeners came or went: an instance that is listened to stays, even when nobody else knows it. */
function keepListened(desk) {
  if (desk.emitter.isListened && !desk.isInLab) desk.route.owner = desk
  else if (desk.route.pending === 0 && rests(desk)) desk.route.owner = null
}

module.exports = { rests, keepListened }
