// The texts of the help around the list of options that yargs makes.

export const usage = `warp-init [run] [OPTIONS] -- COMMAND [ARGS...]

Prepares a container (services, environment, hosts, secrets), then runs COMMAND
as its main process and does the duties of PID 1.`;

export const epilogue = `Each option of run is also WARP_INIT_NAME (WARP_INIT_KILL_DELAY=10s) and a key
of init in warp.config.js. \`warp-init --plain -- COMMAND\` is an init without
any of this: no config, no platform, no Node. WARP_INIT_PLAIN=1 means the same.
WARP_INIT_NODE names the Node that runs warp-init itself.

Exit status: the app's own, or 128+N if signal N ended it. Before the app runs:
    1  check: something would fail; health: unhealthy; reload: it was not done
   64  the command line or a WARP_INIT_ variable is wrong
   69  there is no platform (for the commands that ask one: no running init),
       or it did not answer as it should
   70  warp-init itself failed
   73  a file cannot be written that must be
   77  the platform refused: token or permission
   78  the config, a secret, a dotenv file or the user is wrong
  126  COMMAND cannot be executed
  127  COMMAND (or Node, or warp-init.cjs) was not found
  128+N  signal N (TERM, INT, QUIT, HUP) came before the app was started

Coming from tini, dumb-init or catatonit (more in the README):
  tini -g, dumb-init, catatonit -g     the default
  tini, dumb-init -c, catatonit        --single-child
  tini -s                              --subreaper (the default if not PID 1)
  tini -p SIGNAL                       --parent-death SIGNAL
  tini -e STATUS                       --exit-status STATUS
  dumb-init -r FROM:TO                 --rewrite FROM:TO
  tini -v, dumb-init -v                --log-level debug
  tini -h, -l, --version               --help, the file LICENSE, --version
  catatonit -P                         --exit-status 143 --exit-status 130 --
                                       sleep infinity
  TINI_SUBREAPER                       WARP_INIT_SUBREAPER=1
  TINI_KILL_PROCESS_GROUP              the default
  TINI_VERBOSITY, DUMB_INIT_DEBUG=1,   WARP_INIT_LOG_LEVEL=debug
  CATATONIT_DEBUG
  DUMB_INIT_SETSID=0                   WARP_INIT_SINGLE_CHILD=1

In a Dockerfile:
  ENTRYPOINT ["warp-init", "--"]
  CMD ["node", "server.js"]`;
