// npm: eventsource-client. It tells of a response before it looks at it, and of no error's cause.
import { createEventSource } from 'eventsource-client'
import { serve } from '../../subject/shims/node/serve.mjs'
import { versionOf } from './version.mjs'

serve(
  {
    name: 'eventsource-client', version: versionOf('eventsource-client'), profile: 'sdk-client',
    caps: ['comments', 'headers', 'last-event-id', 'method', 'open', 'state', 'redirects', 'multi'], unsaid: ['cause'],
    policy: { stop_status: [204], backoff: { base_ms: 2000, factor: 1, spread: 'up' } },
  },
  ({ url, headers, method, body, last_event_id }, report) => {
    const source = createEventSource({
      url, headers, method, body, initialLastEventId: last_event_id,
      onMessage: ({ event, data }) => report({ ev: 'event', type: event, data, last_event_id: source.lastEventId }),
      onComment: (text) => report({ ev: 'comment', text }),
      onConnect: () => report({ ev: 'open', state: 'open' }),
      onScheduleReconnect: ({ delay }) => report({ ev: 'error', state: 'connecting', message: `reconnects in ${delay} ms` }),
      // After a 204 it is closed, just behind this callback.
      onDisconnect: () => queueMicrotask(() => {
        if (!closing && source.readyState === 'closed') report({ ev: 'error', state: 'closed', fatal: true })
      }),
    })
    let closing = false
    return {
      close() {
        closing = true
        source.close()
      },
    }
  },
)
