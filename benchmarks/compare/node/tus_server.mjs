// SPDX-License-Identifier: BSL-1.0
// @tus/server at /files; uploads go to $DIR.
import { FileStore } from '@tus/file-store';
import { Server } from '@tus/server';
import http from 'node:http';

const tus = new Server({ path: '/files', datastore: new FileStore({ directory: process.env.DIR }) });
const server = http.createServer((request, response) => tus.handle(request, response));
server.listen(0, '127.0.0.1', () => process.stdout.write(`port ${server.address().port}\n`));
