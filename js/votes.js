'use strict'

// What the nodes answered. Native code packs the votes of a grant into 4 bits per node; failures bring details.
// Here both become `{ node, vote, code?, message?, remaining? }` with the node's name, and words for error texts.

const FAULTS = [
  'TIMEOUT',
  'CONNECT',
  'TLS',
  'AUTH',
  'NOPERM',
  'OOM',
  'READONLY',
  'LOADING',
  'DUPLICATE',
  'NOT_MASTER',
  'QUARANTINED',
  'NOT_A_LOCK',
  'PROTOCOL',
]

const WORDS = ['granted', 'refused', 'faulted']

const BITS = 4
const NODES_PER_WORD = 32 / BITS
const FIRST_FAULT = 3

const NONE = Object.freeze([])

/** From the two words of a record; nodes that have not answered yet are left out. */
function votesFromWords(low, high, names) {
  const votes = []
  for (let i = 0; i < names.length; i += 1) {
    const word = i < NODES_PER_WORD ? low : high
    const bits = (word >>> (BITS * (i % NODES_PER_WORD))) & 0xf
    if (bits === 1) votes.push(Object.freeze({ node: names[i], vote: 'granted' }))
    else if (bits === 2) votes.push(Object.freeze({ node: names[i], vote: 'refused' }))
    else if (bits >= FIRST_FAULT) {
      votes.push(Object.freeze({ node: names[i], vote: 'faulted', code: FAULTS[bits - FIRST_FAULT] }))
    }
  }
  return Object.freeze(votes)
}

/** From the details of a failure. */
function votesFromDetail(details, names) {
  return Object.freeze(
    details.map(({ node, vote, code, message, remaining }) => {
      const made = { node: names[node], vote: WORDS[vote] }
      if (code != null) made.code = code
      if (message != null) made.message = message
      if (remaining != null) made.remaining = remaining
      return Object.freeze(made)
    }),
  )
}

/** `redis-1 refused, 1840 ms left; redis-2 granted; redis-3 faulted: CONNECT connection refused` */
const votesInWords = (votes) => votes.map(inWords).join('; ')

function inWords({ node, vote, code, message, remaining }) {
  let words = `${node} ${vote}`
  if (code !== undefined || message !== undefined) words += `: ${[code, message].filter(Boolean).join(' ')}`
  if (remaining !== undefined) words += `, ${Math.ceil(remaining)} ms left`
  return words
}

const countVotes = (votes, kind) => votes.reduce((sum, { vote }) => sum + (vote === kind ? 1 : 0), 0)

module.exports = { NONE, votesFromWords, votesFromDetail, votesInWords, countVotes }
