// npm: eventsource. It has no option for header fields, and names fetch for them: its README.
import { EventSource } from 'eventsource'
import { eventSource, serve } from '../../subject/shims/node/serve.mjs'
import { versionOf } from './version.mjs'

const withHeaders = (headers) => (url, init) => fetch(url, { ...init, headers: { ...init.headers, ...headers } })

serve(
  { name: 'eventsource', version: versionOf('eventsource'), profile: 'whatwg-client', caps: ['headers', 'open', 'state', 'redirects', 'multi'] },
  eventSource(
    ({ url, headers }) => new EventSource(url, headers ? { fetch: withHeaders(headers) } : {}),
    (e) => ({ status: e.code, message: e.message, cause: cause(e) }),
  ),
)

// An error has a status where the response was refused, and words else.
function cause({ code, message = '' }) {
  if (message.includes('content type')) return 'type'
  return code === undefined ? 'network' : 'status'
}
