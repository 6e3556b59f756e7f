//! How much callers may do in how much time, as clients of other servers know these limits.

settings! {
    "Rate Limiter" / "API Rate Limiter" {
        API_LIMITS = boolean("API_Enable_Rate_Limiter", true), "Calls of the API are limited.";
        API_LIMIT_CALLS = integer("API_Enable_Rate_Limiter_Limit_Calls_Default", 10),
            "How many calls of one operation an address has, unless the operation says otherwise.";
        API_LIMIT_MILLISECONDS = integer("API_Enable_Rate_Limiter_Limit_Time_Default", 60_000),
            "In how many milliseconds an address has those calls.";
    }
    "Rate Limiter" / "Feature Limiting" {
        USER_REGISTRATIONS_PER_MINUTE = integer("Rate_Limiter_Limit_RegisterUser", 1),
            "How many accounts of users may be registered from one address per minute.";
    }
    "Rate Limiter" / "DDP Rate Limiter" {
        DDP_LIMIT_ADDRESS = boolean("DDP_Rate_Limit_IP_Enabled", true), "Realtime calls are limited for each address.";
        DDP_LIMIT_ADDRESS_CALLS = integer("DDP_Rate_Limit_IP_Requests_Allowed", 120_000), "How many realtime calls an address has.";
        DDP_LIMIT_ADDRESS_MILLISECONDS = integer("DDP_Rate_Limit_IP_Interval_Time", 60_000),
            "In how many milliseconds an address has those calls.";
        DDP_LIMIT_USER = boolean("DDP_Rate_Limit_User_Enabled", true), "Realtime calls are limited for each user.";
        DDP_LIMIT_USER_CALLS = integer("DDP_Rate_Limit_User_Requests_Allowed", 1200), "How many realtime calls a user has.";
        DDP_LIMIT_USER_MILLISECONDS = integer("DDP_Rate_Limit_User_Interval_Time", 60_000),
            "In how many milliseconds a user has those calls.";
        DDP_LIMIT_CONNECTION = boolean("DDP_Rate_Limit_Connection_Enabled", true),
            "Realtime calls are limited for each connection.";
        DDP_LIMIT_CONNECTION_CALLS = integer("DDP_Rate_Limit_Connection_Requests_Allowed", 600),
            "How many realtime calls a connection has.";
        DDP_LIMIT_CONNECTION_MILLISECONDS = integer("DDP_Rate_Limit_Connection_Interval_Time", 60_000),
            "In how many milliseconds a connection has those calls.";
        DDP_LIMIT_USER_METHOD = boolean("DDP_Rate_Limit_User_By_Method_Enabled", true),
            "Realtime calls of one method are limited for each user.";
        DDP_LIMIT_USER_METHOD_CALLS = integer("DDP_Rate_Limit_User_By_Method_Requests_Allowed", 20),
            "How many realtime calls of one method a user has.";
        DDP_LIMIT_USER_METHOD_MILLISECONDS = integer("DDP_Rate_Limit_User_By_Method_Interval_Time", 10_000),
            "In how many milliseconds a user has those calls of one method.";
        DDP_LIMIT_CONNECTION_METHOD = boolean("DDP_Rate_Limit_Connection_By_Method_Enabled", true),
            "Realtime calls of one method are limited for each connection.";
        DDP_LIMIT_CONNECTION_METHOD_CALLS = integer("DDP_Rate_Limit_Connection_By_Method_Requests_Allowed", 10),
            "How many realtime calls of one method a connection has.";
        DDP_LIMIT_CONNECTION_METHOD_MILLISECONDS = integer("DDP_Rate_Limit_Connection_By_Method_Interval_Time", 10_000),
            "In how many milliseconds a connection has those calls of one method.";
    }
}
