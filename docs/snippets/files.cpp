// SPDX-License-Identifier: BSL-1.0
// The code of docs/guide/files.md, compiled.

#include <waybill/waybill.hpp>

int main() {
    //[logs
    waybill::job logs("https://logs.example.com/in/");
    logs.add(waybill::item::range("app.log", 0, 25'000'000).append_only());
    logs.add(waybill::item::file("audit.log").append_only());  // as far as it has been written now
    //]
    //[independent
    waybill::job photos("https://photos.example.com/in/");
    photos.file("a.jpg").file("b.jpg").if_item_fails(waybill::on_item_failure::go_on);
    //]
}
