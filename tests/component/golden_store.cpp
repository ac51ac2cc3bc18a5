// SPDX-License-Identifier: BSL-1.0
//
// Writes a golden store of the newest format: once for each format, just before its release. Those that were released
// are never written again.
//
//   cmake --build build/tests --target golden_store
//   build/tests/tests/component/golden_store tests/component/golden/format_1_0.db

#include "support/golden_store.hpp"

#include <SQLiteCpp/Database.h>

#include <exception>
#include <filesystem>
#include <iostream>

int main(int argc, char** argv) {
    if (argc != 2 || std::filesystem::exists(argv[1])) {
        std::cerr << "golden_store <a file that does not exist>" << std::endl;
        return 2;
    }
    try {
        const std::string path = argv[1];
        {
            waybill::test::sample_store store(path);
            store.open();
            waybill::test::fill_golden_store(store);
            store.close();
        }
        std::filesystem::remove(path + ".lock");
        std::filesystem::remove(path + ".reserve");
    } catch (const std::exception& e) {
        std::cerr << e.what() << std::endl;
        return 1;
    }
    return 0;
}
