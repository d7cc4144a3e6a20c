'use strict';
// In place of pino-std-serializers: what we log are texts, numbers and booleans; no error, no request and no response.

exports.err = exports.mapHttpRequest = exports.mapHttpResponse = (value) => value;
