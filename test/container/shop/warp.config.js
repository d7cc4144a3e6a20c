/** @type {import('warp-init').WarpConfig} */
module.exports = {
  ist: [{ service: 'my-db', variables: 'DB_HOST' }],
  init: { reload: { signal: 'SIGHUP' } },
};
