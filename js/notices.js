'use strict'

// What native code says without being asked: a node went down or came back, a warning, or a node wants its password.

const { channels, tellNode } = require('./diagnostics')
const { showType, shorten } = require('./invalid')
const { complain, warn, textOf } = require('./report')

const MAX_REASON = 200

/** @returns {() => void} takes what there is; the user's code hears of it after the batch */
function noticeTaker(desk) {
  const { engine, mailbox } = desk
  const tell = noticeHandler(desk)
  return () => {
    for (let notice = engine.takeNotice(); notice !== null; notice = engine.takeNotice()) {
      const told = notice
      mailbox.afterBatch(() => tell(told))
    }
  }
}

/** @returns {(notice: { type: string, node: number, code?: string, message?: string }) => void} */
function noticeHandler(desk) {
  const { settings, emitter, engine, redlock } = desk
  return ({ type, node, code, message }) => {
    const name = settings.names[node]
    if ((type === 'nodeUp' || type === 'nodeDown') && desk.onNodes !== null) desk.onNodes()
    if (type === 'nodeUp') {
      if (channels.node.hasSubscribers) tellNode(redlock, name, 'up', undefined)
      emitter.emit('nodeUp', { node: name })
    } else if (type === 'nodeDown') {
      const error = errorOf(code, message)
      if (channels.node.hasSubscribers) tellNode(redlock, name, code === 'QUARANTINED' ? 'quarantined' : 'down', error)
      emitter.emit('nodeDown', { node: name, error })
    } else if (type === 'warning') warn(code, `${name}: ${message}`)
    else askPassword(settings.passwords[node], node, name, engine)
  }
}

function errorOf(code, message) {
  const error = new Error(message ?? code)
  error.code = code
  return error
}

/** The user's function may be slow, throw, or return nonsense: then the node is down with that as its reason. */
async function askPassword(ask, node, name, engine) {
  try {
    let password = null
    let reason = null
    try {
      password = await ask()
      if (typeof password !== 'string' || password === '') {
        const given = password === '' ? 'an empty string' : showType(password)
        reason = `the password function of ${name} must return a non-empty string; got ${given}`
        password = null
      }
    } catch (error) {
      reason = `the password function of ${name} failed: ${shorten(textOf(error), MAX_REASON)}`
    }
    engine.credential(node, password, reason)
  } catch (error) {
    complain('a password could not be passed on', error)
  }
}

module.exports = { noticeTaker }
