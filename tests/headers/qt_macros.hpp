// SPDX-License-Identifier: BSL-1.0
#pragma once

// What <QObject> and <QtCore> define, unless QT_NO_KEYWORDS is defined.
#define slots
#define signals public
#define emit
#define foreach(variable, container) for (variable : container)
#define forever for (;;)
