// The adapter of a client for Node.js: here the npm package "eventsource". See docs/adapters.md.
//
//	npm install eventsource@4
//	streamgauge check-client --self-test -- node adapter.mjs
//	streamgauge check-client -- node adapter.mjs
import { createInterface } from 'node:readline'
import { EventSource } from 'eventsource'

const say = (report) => process.stdout.write(JSON.stringify(report) + '\n')
const open = new Map() // conn → EventSource

say({
  ev: 'hello', proto: 1, name: 'eventsource', version: '4', lang: 'node', profile: 'whatwg-client',
  caps: ['headers', 'open', 'state', 'redirects', 'multi'],
})

const commands = {
  open({ conn, url, headers = {}, listen = [] }) {
    const state = () => ['connecting', 'open', 'closed'][source.readyState]
    const source = new EventSource(url, { fetch: (to, init) => fetch(to, { ...init, headers: { ...init.headers, ...headers } }) })
    open.set(conn, source)
    // A server's event can be named like one of the client's own: only the server's have data.
    source.addEventListener('open', (e) => say('data' in e ? event(conn, e) : { ev: 'open', conn, state: state() }))
    source.addEventListener('error', (e) => say('data' in e ? event(conn, e) : {
      ev: 'error', conn, state: state(), fatal: source.readyState === EventSource.CLOSED, status: e.code, message: e.message,
    }))
    for (const type of new Set(['message', ...listen])) {
      if (type !== 'open' && type !== 'error') source.addEventListener(type, (e) => say(event(conn, e)))
    }
  },
  close({ conn }) {
    open.get(conn)?.close()
    say({ ev: 'closed', conn })
  },
  sync: ({ seq }) => say({ ev: 'sync', seq }),
  exit: () => process.exit(0),
}

const event = (conn, e) => ({ ev: 'event', conn, type: e.type, data: e.data, last_event_id: e.lastEventId, origin: e.origin })

createInterface({ input: process.stdin })
  .on('line', (line) => {
    const command = JSON.parse(line)
    try {
      commands[command.cmd]?.(command)
    } catch (e) {
      say({ ev: 'error', conn: command.conn, fatal: true, message: String(e) })
    }
  })
  .on('close', () => process.exit(0))
