// SPDX-License-Identifier: BSL-1.0
// The code of docs/guide/errors.md, compiled.

#include <waybill/waybill.hpp>

#include <iostream>

void show(const waybill::job_snapshot& job) {
    const std::error_code ec = job.error.code;
    //[causes
    if (ec == waybill::cause::canceled) {
        return;
    }
    if (ec == waybill::cause::storage) {
        std::cout << "check the disk: ";
    } else if (ec == waybill::cause::ambiguous) {
        std::cout << "the server may have it: ";
    } else if (ec == waybill::cause::permanent) {
        std::cout << "it will not work like this: ";
    } else if (ec == waybill::cause::retryable) {
        std::cout << "it may work later: ";
    }
    std::cout << job.error.message() << "\n";
    //]
}

int main() {}
