// SPDX-License-Identifier: BSL-1.0
// tus 1.0.0 by @uploadx/core at /files, with checksums; what arrives is kept in $DIR. It is lax about offsets.
// DELAY: milliseconds before each PATCH is looked at.
// One line of JSON goes to the file $LOG for each request.
import { tus } from '@uploadx/core';

import { listen } from './listen.mjs';
import { noteRequest } from './request_log.mjs';

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
    noteRequest(request, response);
    setTimeout(() => uploads(request, response), request.method === 'PATCH' ? delay : 0);
});
