// The loop under PM2 7:
//   KANBAN_SOURCE=board.md pm2 start pm2/ecosystem.config.cjs
// Started in the board's project. KANBAN_SOURCE is the board, KANBAN_BIN the program; both start at the current folder. PM2
// keeps the environment of this moment, so CODEX_HOME, K_REQ and the like are set before it as well.
const os = require('node:os');
const path = require('node:path');

const home = process.env.PM2_HOME || path.join(os.homedir(), '.pm2');
// Not in the workspace: what grows there during an attempt would be taken for codex's work.
const log = (stream) => path.join(home, 'logs', `kanban-codex-exec.${stream}.log`);
// A project on GitHub is no path. What is not named here is named in kanban-codex-exec.yaml, or found.
const { KANBAN_PROVIDER: provider, KANBAN_SOURCE: source } = process.env;
const isPath = source && provider !== 'github' && !source.startsWith('https://');

module.exports = {
  apps: [
    {
      name: 'kanban-codex-exec',
      // A name without a slash is looked for on PATH.
      script: process.env.KANBAN_BIN || 'kanban-codex-exec',
      // With --watch a drained board is waited for, and only signals, guards and errors end the loop. For a night that ends
      // when nothing is left, take --watch away: a drained board then exits with 10, which is a stop code below. It can't
      // be 0, because PM2 takes a death by signal, out of memory say, for exit 0.
      args: ['run', '--watch', '--drained-exit-code', '10'],
      env: isPath ? { KANBAN_SOURCE: path.resolve(source) } : {},

      // A native binary, once: there is one runner a board, and a second one would refuse to start.
      interpreter: 'none',
      exec_mode: 'fork',
      instances: 1,

      // Exit 2 is a wrong setting or file, 3 a guard: a restart would meet the same error, or refill the budget.
      stop_exit_codes: [2, 3, 10],
      // What else ends it (codex out of order, a full disk, a kill) may pass: it is started again, for as long as it takes.
      // Only what never works is given up, after 50 starts that all end within 20 s, some 12 minutes: PM2 counts them in the
      // first min_uptime times max_restarts after `pm2 start` alone.
      restart_delay: 15000,
      min_uptime: '20s',
      max_restarts: 50,

      // A stop is one SIGINT to the runner, which ends codex and everything below it, detached processes too. PM2's own
      // tree kill would signal them all at once, and miss what is detached.
      treekill: false,
      // Longer than the runner ever takes: its --grace (3 s), 5 s for what won't die, a last tree of the workspace. What
      // is killed at this limit loses no work, but leaves the attempt to be ended by the next start.
      kill_timeout: 30000,

      // One file a stream, opened for append. PM2 never cuts them: see `PM2` in the README for rotation.
      merge_logs: true,
      out_file: log('out'),
      error_file: log('error'),
    },
  ],
};
