// SPDX-License-Identifier: BSL-1.0
#include "two.hpp"

#include <cstdio>
#include <filesystem>
#include <stdlib.h>
#include <string>

// The address of what must exist once, seen from here and from the other file; and a whole uploader,
// used from both.
int main() {
    if (&waybill::error_category() != other_category() || &waybill::http_category() != other_http_category()) {
        std::puts("an error category exists twice");
        return 1;
    }
    std::string directory = (std::filesystem::temp_directory_path() / "waybill-odr-XXXXXX").string();
    if (::mkdtemp(directory.data()) == nullptr) {
        return 1;
    }
    waybill::options how;
    how.store.path = directory + "/uploads.db";
    std::size_t listed = 0;
    {
        waybill::background_uploader up(how);
        waybill::job job("http://127.0.0.1:9/");
        job.bytes("note.txt", "content").lane("a");
        up.enqueue(std::move(job));
        listed = jobs_of(up);
    }
    std::filesystem::remove_all(directory);
    return listed == 1 ? 0 : 1;
}
