//! Which FOCUS service category does an Azure meter belong to?
//!
//! `ServiceFamily` is Azure's own grouping and close to that of FOCUS; files without it are
//! placed by `MeterCategory`, each by the family that Microsoft's *Azure Retail Prices* list it
//! under. A meter that is in neither list has no category: unknown is not `Other`.

/// The category of a service family or else of a meter category.
pub(super) fn category(family: Option<&str>, meter: Option<&str>) -> Option<&'static str> {
    family
        .and_then(of_family)
        .or_else(|| meter.and_then(of_meter))
}

fn of_family(family: &str) -> Option<&'static str> {
    let category = match family {
        "AI + Machine Learning" => "AI and Machine Learning",
        "Analytics" => "Analytics",
        "Compute" | "Containers" => "Compute",
        "Databases" => "Databases",
        "Developer Tools" => "Developer Tools",
        "Integration" => "Integration",
        "Internet of Things" => "Internet of Things",
        "Management and Governance" => "Management and Governance",
        "Media" => "Media",
        "Networking" => "Networking",
        "Security" => "Security",
        "Storage" => "Storage",
        "Web" => "Web",
        "Windows Virtual Desktop" | "Azure Virtual Desktop" => "End User Computing",
        _ => return None,
    };
    Some(category)
}

fn of_meter(meter: &str) -> Option<&'static str> {
    let category = match meter {
        "Virtual Machines"
        | "Virtual Machines Licenses"
        | "Azure App Service"
        | "Azure Kubernetes Service"
        | "Azure Container Apps"
        | "Azure Spring Cloud"
        | "Cloud Services"
        | "Container Instances"
        | "Container Registry"
        | "Functions"
        | "Service Fabric" => "Compute",
        "Storage" | "Azure NetApp Files" | "Data Box" => "Storage",
        "Bandwidth"
        | "Application Gateway"
        | "Azure DNS"
        | "Azure Front Door Service"
        | "Content Delivery Network"
        | "ExpressRoute"
        | "Load Balancer"
        | "NAT Gateway"
        | "Network Watcher"
        | "Traffic Manager"
        | "Virtual Network"
        | "Virtual WAN"
        | "VPN Gateway" => "Networking",
        "Azure Firewall"
        | "Azure DDOS Protection"
        | "Advanced Threat Protection"
        | "Key Vault"
        | "Microsoft Defender for Cloud"
        | "Security Center"
        | "Sentinel" => "Security",
        "Azure Cosmos DB"
        | "Azure Database for MariaDB"
        | "Azure Database for MySQL"
        | "Azure Database for PostgreSQL"
        | "Redis Cache"
        | "SQL Database"
        | "SQL Managed Instance" => "Databases",
        "Azure Monitor"
        | "Automation"
        | "Azure Policy"
        | "Azure Site Recovery"
        | "Backup"
        | "Log Analytics" => "Management and Governance",
        "Azure Applied AI Services"
        | "Azure Bot Service"
        | "Azure Machine Learning"
        | "Azure OpenAI"
        | "Cognitive Services" => "AI and Machine Learning",
        "Azure Analysis Services"
        | "Azure Data Explorer"
        | "Azure Data Factory"
        | "Azure Data Factory v2"
        | "Azure Databricks"
        | "Azure Synapse Analytics"
        | "HDInsight"
        | "Microsoft Fabric"
        | "Power BI"
        | "Power BI Embedded"
        | "Stream Analytics" => "Analytics",
        "API Management" | "Event Grid" | "Event Hubs" | "Logic Apps" | "Service Bus" => {
            "Integration"
        }
        "IoT Hub" | "IoT Central" => "Internet of Things",
        "Azure DevOps" | "Azure Lab Services" => "Developer Tools",
        "Azure Cognitive Search" | "SignalR" | "Notification Hubs" => "Web",
        "Azure Active Directory B2C" | "Azure Active Directory for External Identities" => {
            "Identity"
        }
        _ => return None,
    };
    Some(category)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn asks_the_family_first_and_invents_nothing() {
        for (family, meter, expected) in [
            (Some("Storage"), Some("Virtual Machines"), Some("Storage")),
            (Some("Other"), Some("Virtual Machines"), Some("Compute")),
            (None, Some("Bandwidth"), Some("Networking")),
            (None, Some("Some Marketplace Offer"), None),
            (None, None, None),
        ] {
            assert_eq!(category(family, meter), expected, "{family:?} {meter:?}");
        }
    }
}
