// SPDX-License-Identifier: BSL-1.0
// Uploads a file with tus-js-client: begins at $ENDPOINT, or continues at $UPLOAD_URL. With $STOP_AFTER it gives up once
// that many bytes have left. Prints the upload's URL.
import { createReadStream, statSync } from 'node:fs';
import { Upload } from 'tus-js-client';

const { FILE, ENDPOINT, UPLOAD_URL, STOP_AFTER, CHUNK_SIZE } = process.env;
const stopAfter = Number(STOP_AFTER ?? Infinity);

const end = () => {
    process.stdout.write(`${upload.url}\n`);
    process.exit(0);
};
const upload = new Upload(createReadStream(FILE), {
    endpoint: ENDPOINT,
    uploadUrl: UPLOAD_URL ?? null,
    uploadSize: statSync(FILE).size,
    chunkSize: Number(CHUNK_SIZE ?? Infinity),
    metadata: { filename: 'by a peer' },
    retryDelays: [0, 100, 200, 400, 800, 1600],
    onProgress(sent) {
        if (sent >= stopAfter) {
            end();
        }
    },
    onSuccess: end,
    onError(error) {
        process.stderr.write(`${error}\n`);
        process.exit(1);
    },
});
upload.start();
