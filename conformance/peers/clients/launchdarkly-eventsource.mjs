// npm: launchdarkly-eventsource.
import { EventSource } from 'launchdarkly-eventsource'
import { serve } from '../../subject/shims/node/serve.mjs'
import { versionOf } from './version.mjs'

serve(
  {
    name: 'launchdarkly-eventsource', version: versionOf('launchdarkly-eventsource'), profile: 'sdk-client',
    caps: ['headers', 'idle-timeout', 'last-event-id', 'method', 'open', 'retry', 'state', 'redirects', 'multi'],
    policy: {
      retry_status: [500, 502, 503, 504], stop_status: [204, 400, 401, 403, 404, 405, 408, 410, 422, 425, 429],
      backoff: { base_ms: 1000, factor: 1, spread: 'down' },
    },
  },
  ({ url, headers, method, body, retry_ms, idle_timeout_ms, last_event_id, listen = [] }, report) => {
    const position = last_event_id ? { 'Last-Event-ID': last_event_id } : {}
    const source = new EventSource(url, {
      headers: { ...headers, ...position }, method, body, initialRetryDelayMillis: retry_ms, readTimeoutMillis: idle_timeout_ms,
    })
    const state = () => ['connecting', 'open', 'closed'][source.readyState]
    // A refusal is emitted before the state changes, and "closed" behind it: an error is told when it is known whether it is the last.
    let pending
    const lose = (e) => {
      const cause = e.status ? 'status' : e.message?.startsWith('Read timeout') ? 'timeout' : 'network'
      pending = { ev: 'error', status: e.status, message: e.message, cause }
    }
    const tell = (fatal) => () => {
      if (pending) report({ ...pending, fatal, state: state() })
      pending = undefined
    }
    const own = { open: () => report({ ev: 'open', state: state() }), error: lose, end: lose, retrying: tell(false), closed: tell(true) }
    for (const type of new Set([...Object.keys(own), 'message', ...listen])) {
      source.addEventListener(type, (e) => {
        if (e && 'data' in e) report({ ev: 'event', type: e.type, data: e.data, last_event_id: e.lastEventId, origin: e.origin })
        else own[type](e)
      })
    }
    return {
      close() {
        pending = undefined
        source.close()
      },
    }
  },
)
