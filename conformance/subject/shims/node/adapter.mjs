// The adapter of a client for Node.js: here the npm package "eventsource". See docs/adapters.md.
//
//	npm install eventsource@4
//	streamgauge check-client --self-test -- node adapter.mjs
//	streamgauge check-client -- node adapter.mjs
import { EventSource } from 'eventsource'
import { eventSource, serve } from './serve.mjs'

const withHeaders = (headers) => (url, init) => fetch(url, { ...init, headers: { ...init.headers, ...headers } })

serve(
  { name: 'eventsource', version: '4', profile: 'whatwg-client', caps: ['headers', 'open', 'state', 'redirects', 'multi'] },
  eventSource(
    ({ url, headers }) => new EventSource(url, headers ? { fetch: withHeaders(headers) } : {}),
    (e) => ({ status: e.code, message: e.message }),
  ),
)
