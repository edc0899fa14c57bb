# systemd units, a socket and a service for each program, from the two templates beside this file.
# What a program is given is listed here, and only here: ./dev goes by the units too.

# All settings: lib/conf.c. Every program is given the first two, and what else its list names.
set(SETTINGS DATABASE_URL BASE_URL AUTH_SECRET CRON_SECRET TELEGRAM_BOT_TOKEN TELEGRAM_WEBHOOK_SECRET
             TELEGRAM_API_BASE ZOOM_WEBHOOK_SECRET ZOOM_ACCOUNT_ID ZOOM_CLIENT_ID ZOOM_CLIENT_SECRET
             ZOOM_API_BASE ZOOM_OAUTH_BASE JOURNAL_DIR RETENTION_DAYS)
set(BOT TELEGRAM_BOT_TOKEN TELEGRAM_API_BASE)
set(GIVEN_zoom_track AUTH_SECRET JOURNAL_DIR)
set(GIVEN_zoom_teacher_left AUTH_SECRET JOURNAL_DIR)
set(GIVEN_zoom_webhook ZOOM_WEBHOOK_SECRET)
set(GIVEN_telegram_webhook AUTH_SECRET TELEGRAM_WEBHOOK_SECRET ${BOT})
set(GIVEN_admin_teacher_sessions AUTH_SECRET)
set(GIVEN_admin_deliveries AUTH_SECRET)
set(GIVEN_admin_student_link ${BOT})
set(GIVEN_admin_teacher_link ${BOT})
set(GIVEN_teacher_student_link ${BOT})
set(GIVEN_teacher_teacher_link ${BOT})
set(GIVEN_teacher_students ZOOM_ACCOUNT_ID)
set(GIVEN_teacher_sessions AUTH_SECRET)
set(GIVEN_teacher_session AUTH_SECRET)
set(GIVEN_teacher_send_link AUTH_SECRET ${BOT} ZOOM_ACCOUNT_ID ZOOM_CLIENT_ID ZOOM_CLIENT_SECRET ZOOM_API_BASE
                            ZOOM_OAUTH_BASE)
set(GIVEN_cron_session_timeout CRON_SECRET JOURNAL_DIR)
set(GIVEN_healthz JOURNAL_DIR)
set(GIVEN_metrics JOURNAL_DIR)

# Those that call Telegram or Zoom; all others reach nothing but PostgreSQL's Unix socket.
set(CALLS_OUT teacher_send_link telegram_webhook admin_student_link admin_teacher_link teacher_student_link
              teacher_teacher_link)

# Those that write or replay the journal.
set(WRITES_JOURNAL zoom_track zoom_teacher_left cron_session_timeout)

set(NETWORK_NONE "PrivateNetwork=yes
RestrictAddressFamilies=AF_UNIX
IPAddressDeny=any")
set(NETWORK_OUT "RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6")

# Writes the units of program NAME to the build folder and installs them.
function(classclock_units NAME)
  set(PROGRAM ${CMAKE_INSTALL_FULL_LIBDIR}/classclock/cgi/${NAME})
  set(WITHHELD ${SETTINGS})
  list(REMOVE_ITEM WITHHELD DATABASE_URL BASE_URL ${GIVEN_${NAME}})
  list(JOIN WITHHELD " " WITHHELD)
  set(NETWORK "${NETWORK_NONE}")
  if(NAME IN_LIST CALLS_OUT)
    set(NETWORK "${NETWORK_OUT}")
  endif()
  set(WRITES "")
  if(NAME IN_LIST WRITES_JOURNAL)
    set(WRITES "StateDirectory=classclock/journal\nStateDirectoryMode=0700")
  endif()
  set(MEMORY_MAX 256M)
  set(TASKS_MAX 32)
  set(FILES_MAX 64)
  if(NAME STREQUAL zoom_track) # the connections of many taps
    set(FILES_MAX 512)
  endif()
  foreach(kind socket service)
    configure_file(${CMAKE_CURRENT_SOURCE_DIR}/cgi/classclock.${kind}.in
                   ${CMAKE_BINARY_DIR}/systemd/classclock-${NAME}.${kind} @ONLY)
    install(FILES ${CMAKE_BINARY_DIR}/systemd/classclock-${NAME}.${kind}
            DESTINATION lib/systemd/system COMPONENT operator)
  endforeach()
  # Where --prefix says otherwise than the build.
  install(CODE "
    set(to \$ENV{DESTDIR}\${CMAKE_INSTALL_PREFIX}/lib/systemd/system/classclock-${NAME}.service)
    file(READ \${to} text)
    string(REPLACE \"ExecStart=${CMAKE_INSTALL_PREFIX}/\" \"ExecStart=\${CMAKE_INSTALL_PREFIX}/\" text \"\${text}\")
    file(WRITE \${to} \"\${text}\")" COMPONENT operator)
endfunction()
