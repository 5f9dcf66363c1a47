/* Marks what the shared library exports. */
#ifndef ONWARD_EXPORT_H
#define ONWARD_EXPORT_H

#if defined(__GNUC__)
#define ONWARD_API __attribute__((visibility("default")))
#else
#define ONWARD_API
#endif

#endif
