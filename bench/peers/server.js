// The FocusStats API on Fastify and better-sqlite3.
// FOCUS_DB, FOCUS_PORT, FOCUS_WORKERS (cluster size, 1 = no cluster).
import cluster from 'node:cluster';
import { randomBytes } from 'node:crypto';
import Fastify from 'fastify';
import Database from 'better-sqlite3';

const workers = Number(process.env.FOCUS_WORKERS ?? 1);

class Refused extends Error {}

function uuidv7() {
  const bytes = randomBytes(16);
  bytes.writeUIntBE(Date.now(), 0, 6);
  bytes[6] = 0x70 | (bytes[6] & 0x0f);
  bytes[8] = 0x80 | (bytes[8] & 0x3f);
  const hex = bytes.toString('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}

const iso = (ms) => (ms === null ? null : new Date(ms).toISOString());

function open(path) {
  const db = new Database(path, { fileMustExist: true, timeout: 10000 });
  db.pragma('journal_mode = WAL');
  db.pragma('synchronous = FULL');
  return db;
}

function actions(db) {
  const addStats = db.prepare('INSERT INTO focus_stats(uuid, user) VALUES(?, ?) ON CONFLICT(user) DO NOTHING');
  const getStats = db.prepare('SELECT id, uuid FROM focus_stats WHERE user = ?');
  const addSession = db.prepare(`INSERT INTO focus_sessions(uuid, stats, document, library, start_time)
    SELECT ?, id, ?, ?, ? FROM focus_stats WHERE user = ?`);
  const endSession = db.prepare('UPDATE focus_sessions SET end_time = ? WHERE uuid = ? AND end_time IS NULL');
  const getSession = db.prepare('SELECT 1 FROM focus_sessions WHERE uuid = ?');
  const dropSession = db.prepare('DELETE FROM focus_sessions WHERE uuid = ?');
  const getEnded = db.prepare(`SELECT uuid FROM focus_sessions
    WHERE stats = ? AND end_time IS NOT NULL ORDER BY end_time`).pluck();
  const getSessions = db.prepare(`SELECT s.uuid, s.document, s.start_time, s.end_time
    FROM focus_sessions s JOIN focus_stats f ON f.id = s.stats WHERE f.user = ? ORDER BY s.id`);

  return {
    initUser({ user }) {
      const id = uuidv7();
      if (addStats.run(id, user).changes === 0) {
        throw new Refused(`User ${user} already has FocusStats initialized.`);
      }
      return { focusStats: id };
    },
    startSession({ user, document, library }) {
      const id = uuidv7();
      if (addSession.run(id, document, library, Date.now(), user).changes === 0) {
        throw new Refused(`User ${user} does not have FocusStats initialized.`);
      }
      return { focusSession: id };
    },
    endSession({ focusSession }) {
      if (endSession.run(Date.now(), focusSession).changes === 0) {
        throw new Refused(`FocusSession ${focusSession} ${
          getSession.get(focusSession) ? 'has already ended' : 'not found'}.`);
      }
      return { focusSession };
    },
    removeSession({ focusSession }) {
      if (dropSession.run(focusSession).changes === 0) {
        throw new Refused(`FocusSession ${focusSession} not found.`);
      }
      return {};
    },
    _viewStats({ user }) {
      const stats = getStats.get(user);
      return stats
        ? [{ focusStats: { id: stats.uuid, user, focusSessionIds: getEnded.all(stats.id) } }] : [];
    },
    _getSessions({ user }) {
      return getSessions.all(user).map((row) => ({
        focusSession: {
          _id: row.uuid,
          user,
          document: row.document,
          startTime: iso(row.start_time),
          endTime: iso(row.end_time),
        },
      }));
    },
  };
}

const inputs = {
  initUser: ['user'],
  startSession: ['user', 'document', 'library'],
  endSession: ['focusSession'],
  removeSession: ['focusSession'],
  _viewStats: ['user'],
  _getSessions: ['user'],
};

async function serve() {
  const app = Fastify({ bodyLimit: 65536 });
  const all = actions(open(process.env.FOCUS_DB));
  app.setErrorHandler((error, request, reply) => {
    const status = error instanceof Refused ? 200 : error.statusCode ?? 500;
    reply.code(status).send({ error: error.message });
  });
  for (const [name, required] of Object.entries(inputs)) {
    const body = {
      type: 'object',
      required,
      properties: Object.fromEntries(required.map((field) => [field, { type: 'string' }])),
    };
    app.post(`/api/FocusStats/${name}`, { schema: { body } }, async (request) => all[name](request.body));
  }
  await app.listen({ host: '127.0.0.1', port: Number(process.env.FOCUS_PORT) });
}

if (workers > 1 && cluster.isPrimary) {
  for (let i = 0; i < workers; i++) cluster.fork();
  process.on('SIGTERM', () => {
    for (const worker of Object.values(cluster.workers)) worker.kill();
    process.exit(0);
  });
} else {
  await serve();
}
