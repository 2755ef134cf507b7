// npm: undici. Its EventSource takes the reconnection time, but no header fields, and its errors say nothing.
import { EventSource } from 'undici'
import { eventSource, serve } from '../../subject/shims/node/serve.mjs'
import { versionOf } from './version.mjs'

serve(
  {
    name: "undici's EventSource", version: versionOf('undici'), profile: 'whatwg-client',
    caps: ['retry', 'open', 'state', 'redirects', 'multi'], unsaid: ['cause'],
  },
  eventSource(({ url, retry_ms }) => new EventSource(url, retry_ms ? { node: { reconnectionTime: retry_ms } } : {})),
)
