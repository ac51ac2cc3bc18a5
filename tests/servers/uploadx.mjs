// SPDX-License-Identifier: BSL-1.0
// tus 1.0.0 by @uploadx/core at /files, with checksums; what arrives is kept in $DIR. It is lax about offsets.
// DELAY: milliseconds before each PATCH is looked at.
// One line of JSON goes to the file $LOG at the end of each request.
import { tus } from '@uploadx/core';
import { appendFileSync } from 'node:fs';

import { listen } from './listen.mjs';

const delay = Number(process.env.DELAY ?? 0);
const uploads = tus({
    path: '/files',
    uploadDir: process.env.DIR,
    maxUploadSize: '10GB',
    allowMIME: ['*/*'],
    checksum: 'sha1',
    filename: (file) => file.id,
});

listen((request, response) => {
    const { method, url, headers } = request;
    response.on('close', () => {
        appendFileSync(process.env.LOG, `${JSON.stringify({ method, url, headers, status: response.statusCode })}\n`);
    });
    setTimeout(() => uploads(request, response), method === 'PATCH' ? delay : 0);
});
