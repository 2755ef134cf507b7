// npm: @microsoft/fetch-event-source, with the callbacks of its README: without them it takes any status for a stream if the type is
// right, and does not come back when a stream ends. It wants a page around it.
import { EventStreamContentType, fetchEventSource } from '@microsoft/fetch-event-source'
import { serve } from '../../subject/shims/node/serve.mjs'
import { versionOf } from './version.mjs'

globalThis.window = globalThis
globalThis.document = { hidden: false, addEventListener() {}, removeEventListener() {} }

class Refused extends Error {}

serve(
  {
    name: '@microsoft/fetch-event-source', version: versionOf('@microsoft/fetch-event-source'), profile: 'sdk-client',
    caps: ['headers', 'last-event-id', 'method', 'open', 'redirects', 'multi'], unsaid: ['last_event_id'],
    policy: {
      retry_status: [429, 500, 502, 503, 504], stop_status: [400, 401, 403, 404, 405, 408, 410, 422, 425],
      backoff: { base_ms: 1000, factor: 1, spread: 'up' },
    },
  },
  ({ url, headers = {}, method, body, last_event_id }, report) => {
    const controller = new AbortController()
    const position = last_event_id ? { 'last-event-id': last_event_id } : {}
    const error = (e, fatal) => report({ ev: 'error', fatal, message: e.message, ...e.why ?? { cause: 'network' } })
    fetchEventSource(url, {
      headers: { ...headers, ...position }, method, body, signal: controller.signal,
      async onopen(response) {
        if (response.ok && response.headers.get('content-type')?.startsWith(EventStreamContentType)) {
          report({ ev: 'open' })
          return
        }
        const { status } = response
        const final = status >= 400 && status < 500 && status !== 429
        throw Object.assign(new (final ? Refused : Error)(`status ${status}`), { why: { status, cause: response.ok ? 'type' : 'status' } })
      },
      onmessage: ({ event, data, id }) => report({ ev: 'event', type: event, data, last_event_id: id }),
      onclose() {
        throw new Error('the stream ended')
      },
      onerror(e) {
        if (e instanceof Refused) throw e
        error(e, false)
      },
    }).catch((e) => {
      if (!controller.signal.aborted) error(e, true)
    })
    return { close: () => controller.abort() }
  },
)
