// npm: event-source-polyfill, with the fetch of Node.js.
import polyfill from 'event-source-polyfill'
import { eventSource, serve } from '../../subject/shims/node/serve.mjs'
import { versionOf } from './version.mjs'

serve(
  {
    name: 'event-source-polyfill', version: versionOf('event-source-polyfill'), profile: 'whatwg-client',
    caps: ['headers', 'idle-timeout', 'open', 'state', 'redirects', 'multi'],
  },
  eventSource(
    ({ url, headers, idle_timeout_ms }) => new polyfill.EventSourcePolyfill(url, { headers, heartbeatTimeout: idle_timeout_ms }),
    (e) => ({ status: e.status, message: e.error?.message ?? e.statusText, cause: cause(e) }),
  ),
)

function cause({ status, error }) {
  if (status !== undefined) return status === 200 ? 'type' : 'status'
  return error?.message.startsWith('No activity') ? 'timeout' : 'network'
}
