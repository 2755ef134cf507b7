// The protocol of adapters, for clients in Node.js: docs/adapters.md.
import { createInterface } from 'node:readline'

const say = (report) => process.stdout.write(JSON.stringify(report) + '\n')

// Speaks for a client. follow(open, report) begins a subscription, of which report tells, and returns what has close() and perhaps restart().
export function serve(hello, follow) {
  const open = new Map() // conn → subscription
  const commands = {
    open: (command) => open.set(command.conn, follow(command, (report) => say({ ...report, conn: command.conn }))),
    close({ conn }) {
      open.get(conn)?.close()
      say({ ev: 'closed', conn })
    },
    restart: ({ conn }) => open.get(conn)?.restart(),
    sync: ({ seq }) => say({ ev: 'sync', seq }),
    exit: () => process.exit(0),
  }
  say({ ev: 'hello', proto: 1, lang: `node ${process.versions.node}`, ...hello })
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
}

// follow for a client with the interface of EventSource, which create(open) makes. tell(e) is what its error events say more than their type.
export const eventSource = (create, tell = () => ({})) => (open, report) => {
  const source = create(open)
  const state = () => ['connecting', 'open', 'closed'][source.readyState]
  const event = (e) => ({ ev: 'event', type: e.type, data: e.data, last_event_id: e.lastEventId, origin: e.origin })
  for (const type of new Set(['open', 'error', 'message', ...(open.listen ?? [])])) {
    source.addEventListener(type, (e) => {
      // A server's event can be named like one of the client's own: only the server's have data.
      if ('data' in e) report(event(e))
      else if (type === 'open') report({ ev: 'open', state: state() })
      else if (type === 'error') report({ ev: 'error', state: state(), fatal: state() === 'closed', ...tell(e) })
    })
  }
  return source
}
