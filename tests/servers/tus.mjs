// SPDX-License-Identifier: BSL-1.0
// tus 1.0.0 by @tus/server at /files; what arrives is kept in $DIR, one file for each upload.
// RATE: bytes a second that are taken of each request. EXPIRES: milliseconds. MAX: bytes of one upload.
// RELATIVE=1: Locations without a host. One line of JSON goes to the file $LOG for each request, and at the end of each
// connection.
import { FileStore } from '@tus/file-store';
import { Server } from '@tus/server';
import { pipeline, Transform } from 'node:stream';

import { listen } from './listen.mjs';
import { note, noteRequest } from './request_log.mjs';

const rate = Number(process.env.RATE ?? 0);
const piece = 64 << 10;

function slowly(readable) {
    const slow = new Transform({
        highWaterMark: piece,
        transform(chunk, _encoding, done) {
            setTimeout(() => done(null, chunk), (1000 * chunk.length) / rate);
        },
    });
    pipeline(readable, slow, () => {});
    return slow;
}

class Store extends FileStore {
    write(readable, id, offset) {
        return super.write(rate > 0 ? slowly(readable) : readable, id, offset);
    }
}

const tus = new Server({
    path: '/files',
    relativeLocation: process.env.RELATIVE === '1',
    respectForwardedHeaders: true,
    maxSize: Number(process.env.MAX ?? 0) || undefined,
    datastore: new Store({
        directory: process.env.DIR,
        expirationPeriodInMilliseconds: Number(process.env.EXPIRES ?? 0),
    }),
});

listen((request, response) => {
    noteRequest(request, response);
    tus.handle(request, response);
}).on('connection', (socket) => {
    socket.on('close', () => note({ bytes: socket.bytesRead }));
});
