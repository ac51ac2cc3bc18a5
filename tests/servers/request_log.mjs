// SPDX-License-Identifier: BSL-1.0
import { appendFileSync } from 'node:fs';

export const note = (what) => appendFileSync(process.env.LOG, `${JSON.stringify(what)}\n`);

// One line of JSON in the file $LOG for each request: before its answer leaves, so that whoever has the answer finds
// the line; or, with status 0, when it ended without one.
export function noteRequest({ method, url, headers }, response) {
    const noteOnce = (status) => {
        response.writeHead = writeHead;
        response.off('close', onClose);
        note({ method, url, headers, status });
    };
    const onClose = () => noteOnce(0);
    const writeHead = response.writeHead;
    response.writeHead = (status, ...rest) => {
        noteOnce(status);
        return response.writeHead(status, ...rest);
    };
    response.on('close', onClose);
}
